# SPDX-License-Identifier: Apache-2.0
"""What flakes take in: downloads with a known hash, and the inputs of a lockfile. Real Nix locks them, local servers
hold them, and every digest in the provenance is computed here again."""
import base64
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from conftest import sha256, tarball
from nix_flakes import LIBRARY, base64_hash, download, needs_compiler, needs_nix, nix, nix_version, use
from nix_flakes import files, flakes, maker  # noqa: F401 (fixtures)
from test_sources import commit_repository, git, publish, repositories  # noqa: F401

pytestmark = needs_nix

BODY = b"bytes of a download\n"


def fixed(build):
    inputs = build.of_kind("fixedOutput")
    assert len(inputs) == 1, build.inputs
    return inputs[0]


def test_a_download_is_listed_with_its_hash(flakes, files, folder):
    files.files["/a/file.txt"] = BODY
    build = flakes.build(use(download(f"{files.url}/a/file.txt", "sha256", BODY))).good()
    found = fixed(build)
    (folder / "file").write_bytes(BODY)
    digest = nix(folder, "hash", "file", "--base16", "--type", "sha256", folder / "file")
    assert digest == sha256(BODY) and found["digest"] == {"sha256": digest}
    assert found["downloadLocation"] == f"{files.url}/a/file.txt" and found["name"] == "download"
    assert found["uri"].startswith("pkg:generic/download?") and digest in found["uri"] and "mediaType" not in found
    assert found["annotations"]["hashMode"] == "flat"
    assert found["annotations"]["storePath"].endswith("-download")
    assert f"REACHED {len(BODY)}" in build.log
    phases = [(p["name"], p["network"]) for p in build.parameters["phases"]]
    assert phases == [("prepare", False), ("fetch", True), ("fetch", True), ("build", False)]
    assert found["annotations"]["derivation"] in build.parameters["phases"][2]["commandLine"]
    assert files.asked == ["/a/file.txt"], "it is fetched once, in the fetch phase"


def test_a_download_with_a_sha512(flakes, files):
    files.files["/file"] = BODY
    found = fixed(flakes.build(use(download(f"{files.url}/file", "sha512", BODY))).good())
    assert found["digest"] == {"sha512": hashlib.sha512(BODY).hexdigest()}


def test_a_tree_is_listed_with_the_hash_of_its_archive(flakes, files, folder):
    (folder / "tree/bin").mkdir(parents=True)
    (folder / "tree/bin/tool").write_text("tool")
    (folder / "tree/bin/tool").chmod(0o755)
    os.symlink("tool", folder / "tree/bin/link")
    files.files["/tree.nar"] = subprocess.run(
        ["nix-store", "--dump", folder / "tree"], check=True, capture_output=True).stdout
    digest = nix(folder, "hash", "path", "--base16", folder / "tree")
    assert digest == sha256(files.files["/tree.nar"])
    found = fixed(flakes.build(
        f'make "plain" [ "show" "${{download {{ url = "{files.url}/tree.nar"; unpack = true; '
        f'outputHashMode = "recursive"; outputHash = "{digest}"; }}}}/bin/link" "write" out "x" ]').good())
    assert found["digest"] == {"sha256": digest} and found["annotations"]["hashMode"] == "nar"
    assert found["mediaType"] == "application/x-nix-archive"


def test_a_download_that_is_not_what_was_promised(flakes, files):
    files.files["/file"] = b"something else"
    flakes.build(use(download(f"{files.url}/file", "sha256", BODY))).bad("InputVerificationError", "hash")


def test_a_download_that_is_gone(flakes, files):
    flakes.build(use(download(f"{files.url}/file", "sha256", BODY))).bad("SourceError")
    assert "/file" in files.asked


def test_a_server_that_is_away(flakes, files):
    files.server.server_close()
    flakes.build(use(download(f"{files.url}/file", "sha256", BODY))).bad("SourceError")


def test_a_private_address_needs_the_operators_word(flakes, files):
    files.files["/file"] = BODY
    flakes.build(use(download(f"{files.url}/file", "sha256", BODY)), private=False).bad("SourceError", "127.0.0.1")
    assert files.asked == []


@pytest.mark.parametrize("kind", ["md5", "sha1"])
def test_a_hash_that_can_be_forged_pins_nothing(flakes, files, kind):
    files.files["/file"] = BODY
    flakes.build(use(download(f"{files.url}/file", kind, BODY))).bad("UnpinnedDependencyError", kind)


@needs_compiler
def test_a_program_that_fetches_is_compiled_first(flakes, files):
    files.files.update({"/one": b"one", "/two": b"two"})
    port = files.port
    expression = (
        "let fetched = path: before: derivation { inherit system; name = \"fetched\"; builder = \"${maker}\"; "
        f'url = "{files.url}${{path}}"; args = before ++ [ "get" "127.0.0.1" "{port}" path out ]; '
        'outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" (builtins.substring 1 3 path); }; '
        'in make "plain" [ "show" "${fetched "/two" [ "show" (fetched "/one" [ ]) ]}" "write" out "x" ]')
    build = flakes.build(expression, compiler=True).good()
    phases = [(p["name"], p["network"]) for p in build.parameters["phases"]]
    assert phases[2:] == [("prepare", False), ("fetch", True), ("fetch", True), ("build", False)], phases
    steps = [p["commandLine"][-1].partition("-")[2] for p in build.parameters["phases"][2:]]
    assert steps == ["maker.drv", "fetched.drv", "fetched.drv", "plain.drv"]
    assert {d["digest"]["sha256"] for d in build.of_kind("fixedOutput")} == {sha256(b"one"), sha256(b"two")}
    assert files.asked == ["/one", "/two"]
    # The compiler is a part of the source tree, which the source's digest covers.
    assert [i.get("name") for i in build.inputs if not i.get("annotations")] == [build.folder.name, "flake.nix"]


# Inputs of the lockfile

TEXT = 'make "plain" [ "write" out inputs.library.text ]'


def with_input(flakes, url, expression=TEXT, more="", **options):
    return flakes.write(expression, head=f'inputs.library.url = "{url}"; {more}', **options)


def lock(folder, source):
    nix(folder, "flake", "lock", f"path:{source}")
    return json.loads((source / "flake.lock").read_text())


def hexadecimal(nar_hash):
    assert nar_hash.startswith("sha256-")
    return base64.b64decode(nar_hash[7:]).hex()


def change_lock(source, **changes):
    path = source / "flake.lock"
    document = json.loads(path.read_text())
    locked = document["nodes"]["library"]["locked"]
    for key, value in changes.items():
        locked.pop(key, None) if value is None else locked.__setitem__(key, value)
    path.write_text(json.dumps(document))


@pytest.mark.skipif(nix_version() < (2, 26), reason="Nix has relative paths as inputs since 2.26")
def test_an_input_within_the_source_is_part_of_it(flakes, folder):
    source = with_input(flakes, "path:./library", files={f"library/{k}": v for k, v in LIBRARY.items()})
    lock(folder, source)
    build = flakes.build_folder(source).good()
    assert build.artifact("plain") == b"of the library"
    assert [i.get("name") for i in build.inputs] == [source.name, "flake.lock"]
    assert build.inputs[1]["digest"] == {"sha256": sha256((source / "flake.lock").read_bytes())}


def test_a_repository_is_pinned_by_commit_and_hash(flakes, folder, repositories):
    served, url = repositories
    work = commit_repository(folder, "library", LIBRARY)
    publish(work, served, "library")
    source = with_input(flakes, f"git+{url}/library.git?ref=main")
    locked = lock(folder, source)["nodes"]["library"]["locked"]
    build = flakes.build_folder(source).good()
    assert build.artifact("plain") == b"of the library"
    found = build.inputs[2]
    commit = git(work, "rev-parse", "HEAD")
    assert found["digest"] == {"gitCommit": commit, "sha256": hexadecimal(locked["narHash"])}
    shutil.rmtree(work / ".git")
    assert nix(folder, "hash", "path", "--base16", work) == found["digest"]["sha256"]
    assert found["downloadLocation"] == f"git+{url}/library.git@{commit}" and commit in found["uri"]
    assert found["annotations"]["inputs"] == ["library"] and len(build.inputs) == 3

    change_lock(source, narHash=base64_hash("sha256", b"another"))
    flakes.build_folder(source).bad("InputVerificationError")
    change_lock(source, narHash=locked["narHash"], rev="0" * 40)
    flakes.build_folder(source).bad("SourceError")
    shutil.rmtree(served / "library.git")
    change_lock(source, rev=commit)
    flakes.build_folder(source).bad("SourceError")


@pytest.mark.parametrize("flake", [True, False])
def test_an_archive_is_pinned_by_hash(flakes, files, folder, flake):
    files.files["/library.tar.gz"] = tarball(LIBRARY, top="library")
    expression = TEXT if flake else 'make "plain" [ "write" out (builtins.readFile "${inputs.library}/text") ]'
    source = with_input(flakes, f"{files.url}/library.tar.gz", expression,
                        "" if flake else "inputs.library.flake = false;")
    locked = lock(folder, source)["nodes"]["library"]["locked"]
    build = flakes.build_folder(source).good()
    assert build.artifact("plain") == b"of the library"
    assert build.inputs[2]["digest"] == {"sha256": hexadecimal(locked["narHash"])}
    assert build.inputs[2]["downloadLocation"] == f"{files.url}/library.tar.gz"
    assert build.inputs[2]["mediaType"] == "application/x-nix-archive"
    # Older Nix keeps the archive itself too.
    others = [i["digest"] for i in build.inputs[3:]]
    assert others in ([], [{"sha256": sha256(files.files["/library.tar.gz"])}])

    files.files["/library.tar.gz"] = tarball(
        {**LIBRARY, "text": "changed behind the lock"}, top="library")
    flakes.build_folder(source).bad("InputVerificationError")
    del files.files["/library.tar.gz"]
    flakes.build_folder(source).bad("SourceError")
    flakes.build_folder(source, private=False).bad("SourceError", "127.0.0.1")


def test_a_lockfile_that_is_missing_or_old(flakes, files, folder):
    files.files["/library.tar.gz"] = tarball(LIBRARY, top="library")
    source = with_input(flakes, f"{files.url}/library.tar.gz")
    flakes.build_folder(source).bad("LockfileError", "flake.lock")
    lock(folder, source)
    flake = source / "flake.nix"
    flake.write_text(flake.read_text().replace("/library.tar.gz", "/other.tar.gz"))
    flakes.build_folder(source).bad("LockfileError", "flake.lock")
    assert "/other.tar.gz" not in files.asked


@pytest.mark.parametrize("change, kind", [
    (lambda text: text[: len(text) // 2], "LockfileError"),
    (lambda text: "", "LockfileError"),
    (lambda text: text.replace('"root": "root"', '"root": "root", "root": "library"'), "LockfileError"),
    (lambda text: text.replace('"version": 7', '"version": 8'), "LockfileError"),
    (lambda text: text.replace('"narHash"', '"oldHash"'), "LockfileError"),
])
def test_a_lockfile_that_is_malformed(flakes, files, folder, change, kind):
    files.files["/library.tar.gz"] = tarball(LIBRARY, top="library")
    source = with_input(flakes, f"{files.url}/library.tar.gz")
    lock(folder, source)
    before = len(files.asked)
    text = (source / "flake.lock").read_text()
    assert change(text) != text
    (source / "flake.lock").write_text(change(text))
    flakes.build_folder(source).bad(kind, "flake.lock")
    assert len(files.asked) == before


def test_what_a_lockfile_does_not_pin(flakes, files, folder):
    files.files["/library.tar.gz"] = tarball(LIBRARY, top="library")
    source = with_input(flakes, f"{files.url}/library.tar.gz")
    lock(folder, source)
    change_lock(source, narHash=None)
    flakes.build_folder(source).bad("UnpinnedDependencyError", "library", "narHash")

    work = commit_repository(folder, "library", LIBRARY)
    for url in (f"path:{work}", f"git+file://{work}"):
        source = with_input(flakes, url)
        lock(folder, source)
        flakes.build_folder(source).bad("UnpinnedDependencyError", "library")
    change_lock(source, rev=None, url="http://127.0.0.1/library.git", dirtyRev="0" * 40 + "-dirty")
    flakes.build_folder(source).bad("UnpinnedDependencyError", "uncommitted")
