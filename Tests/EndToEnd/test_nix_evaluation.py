# SPDX-License-Identifier: Apache-2.0
"""What the evaluation of a flake fetches itself, by hashes that stand in flake.nix and not in a lockfile: it is an
input as any other, and listed."""
import shutil

import pytest

from conftest import sha256, tarball
from nix_flakes import LIBRARY, make, needs_nix, nix
from nix_flakes import files, flakes, maker  # noqa: F401 (fixtures)
from test_sources import commit_repository, git, publish, repositories  # noqa: F401

pytestmark = needs_nix


@pytest.mark.parametrize("expression", [
    'make "plain" [ "write" out (builtins.readFile "${TREE}/text") ]',
    'make "plain" [ "write" out (import "${TREE}/flake.nix").outputs.x or "of the library" "show" "${TREE}/text" ]',
])
def test_a_tree_that_the_evaluation_fetches_is_listed(flakes, files, folder, expression):
    for path, body in LIBRARY.items():
        (folder / "library" / path).parent.mkdir(exist_ok=True)
        (folder / "library" / path).write_text(body)
    digest = nix(folder, "hash", "path", "--base16", folder / "library")
    files.files["/library.tar.gz"] = tarball(LIBRARY, top="library")
    tree = f'builtins.fetchTarball {{ url = "{files.url}/library.tar.gz"; sha256 = "{digest}"; }}'
    build = flakes.build(expression.replace("TREE", tree)).good()
    assert build.artifact("plain") == b"of the library"
    found = [i["digest"]["sha256"] for i in build.of_kind("source")]
    # Older Nix keeps the archive itself too.
    assert digest in found and set(found) <= {digest, sha256(files.files["/library.tar.gz"])}
    files.files["/library.tar.gz"] = tarball({"text": "another"}, top="library")
    flakes.build(expression.replace("TREE", tree)).bad("InputVerificationError")


@pytest.mark.parametrize("expression", [
    'make "plain" [ "write" out (builtins.readFile FILE) ]',
    'make "plain" [ "show" "${FILE}" "write" out "download" ]',
])
def test_a_file_that_the_evaluation_fetches_is_listed(flakes, files, expression):
    files.files["/file.lock"] = b"download"
    file = f'(builtins.fetchurl {{ url = "{files.url}/file.lock"; sha256 = "{sha256(b"download")}"; }})'
    build = flakes.build(expression.replace("FILE", file)).good()
    assert build.artifact("plain") == b"download"
    found = build.of_kind("source")
    assert [i["digest"] for i in found] == [{"sha256": sha256(b"download")}]
    assert "mediaType" not in found[0] and found[0]["name"] == "file.lock"
    files.files["/file.lock"] = b"another"
    flakes.build(expression.replace("FILE", file)).bad("InputVerificationError")


def test_a_commit_that_the_evaluation_fetches_is_listed(flakes, folder, repositories):
    served, url = repositories
    work = commit_repository(folder, "library", LIBRARY)
    publish(work, served, "library")
    commit = git(work, "rev-parse", "HEAD")
    build = flakes.build(
        f'make "plain" [ "write" out (builtins.readFile "${{builtins.fetchGit {{ url = "{url}/library.git"; '
        f'rev = "{commit}"; ref = "main"; }}}}/text") ]').good()
    shutil.rmtree(work / ".git")
    assert [i["digest"] for i in build.of_kind("source")] == [{"sha256": nix(folder, "hash", "path", "--base16", work)}]


def test_texts_of_the_evaluation_are_no_inputs_of_their_own(flakes):
    plain = make("plain", "write", "${out}", "x")
    build = flakes.build(f'builtins.seq (builtins.toFile "text" "words") ({plain})').good()
    assert len(build.inputs) == 2
