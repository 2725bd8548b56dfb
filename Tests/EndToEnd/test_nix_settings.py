# SPDX-License-Identifier: Apache-2.0
"""What a project and the operator may choose for builds with Nix: cupel.toml, binary caches, and who builds."""
import io
import json
import os
import shutil
import tarfile

import pytest

from conftest import project, unpack
from nix_flakes import OTHER, Build, files, flakes, maker, make, needs_nix, nix, nix_version  # noqa: F401 (fixtures)

pytestmark = needs_nix

WRITE = make("plain", "write", "${out}", "x")


@pytest.mark.parametrize("attribute", ["other", "packages.x86_64-linux.other", 'packages.x86_64-linux.\\"other\\"'])
def test_an_attribute_is_built(flakes, attribute):
    build = flakes.build(WRITE, packages=OTHER, files={"cupel.toml": f'[nix]\nattribute = "{attribute}"\n'}).good()
    assert build.artifact("text") == b"of another" and [s["name"] for s in build.statement["subject"]] == ["text"]
    assert build.parameters["nix"]["attribute"] == attribute.replace("\\", "").replace('."other"', ".other")
    assert build.parameters["project"] == {"nix": {"attribute": attribute.replace("\\", "")}}


def test_an_attribute_that_is_not_there(flakes):
    flakes.build(WRITE, files={"cupel.toml": '[nix]\nattribute = "missing"\n'}).bad("BuildError", "missing")
    flakes.build(WRITE, files={"cupel.toml": '[nix]\nattribute = "a#b"\n'}).bad("UnsupportedToolchainError", "a#b")


def test_a_flake_in_a_folder(flakes):
    source = flakes.folder / "outer"
    inner = flakes.write('make "plain" [ "write" out (builtins.readFile ./text) ]')
    shutil.copytree(inner, source / "tools/inner-flake")
    (source / "tools/inner-flake/text").write_text("in the flake's folder")
    (source / "cupel.toml").write_text('directory = "tools/inner-flake"\n')
    build = flakes.build_folder(source).good()
    assert build.artifact("plain") == b"in the flake's folder"
    assert [i["name"] for i in build.inputs] == ["outer", "flake.nix"]

    # What is beside it is its source too, where Nix knows that.
    shutil.copytree(flakes.write('make "plain" [ "write" out (builtins.readFile ../beside) ]'), source / "other")
    (source / "beside").write_text("beside the flake's folder")
    (source / "cupel.toml").write_text('directory = "other"\n')
    build = flakes.build_folder(source)
    if nix_version() < (2, 20):
        build.bad("UnpinnedDependencyError")
    else:
        assert build.good().artifact("plain") == b"beside the flake's folder"


def test_a_flake_wins_over_cargo_unless_the_project_says_so(flakes):
    files = project({})
    build = flakes.build(WRITE, files=files).good()
    assert [s["name"] for s in build.statement["subject"]] == ["plain"]
    build = flakes.build(WRITE, files={**files, "cupel.toml": 'toolchain = "cargo"\n'}).good()
    assert [s["name"] for s in build.statement["subject"]] == ["probe"]
    assert {"type": "detect", "msg": "cargo"} in build.events


TREE = make("tree", "folder", "${out}", "folder", "${out}/bin", "folder", "${out}/share",
            "program", "${out}/bin/tool", "x", "link", "${out}/bin/alias", "tool", "write", "${out}/share/doc", "text")


def test_only_the_artifacts_that_are_asked_for(flakes):
    build = flakes.build(TREE, files={"cupel.toml": 'artifacts = ["bin/*"]\n'}).good()
    root = build.folder / "artifacts"
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*")) == ["bin", "bin/alias", "bin/tool"]
    assert os.readlink(root / "bin/alias") == "tool"
    flakes.build(TREE, files={"cupel.toml": 'artifacts = ["bin/*", "lib/*"]\n'}).bad("ArtifactError", "lib/*")


def test_arguments_are_recorded(flakes):
    build = flakes.build(WRITE, files={"cupel.toml": '[nix]\narguments = ["--cores", "1"]\n'}).good()
    assert build.parameters["commandLine"][-3:-1] == ["--cores", "1"], build.parameters["commandLine"]
    flakes.build(WRITE, files={"cupel.toml": '[nix]\narguments = ["--option", "sandbox", "false"]\n'}).bad(
        "UnsupportedToolchainError", "--option")


# Binary caches

USES = 'make "plain" [ "write" out (builtins.readFile ./text) "show" "${inputs.self.packages.${system}.other}/text" ]'


@pytest.fixture
def cache(flakes, files, folder):
    """A cache that has the package `other`, signed, and what an operator sets to use it."""
    source = flakes.write(USES, packages=OTHER, files={"text": "made here"})
    secret = nix(folder, "key", "generate-secret", "--key-name", "cache-1")
    (folder / "secret").write_text(secret)
    public = nix(folder, "key", "convert-secret-to-public", standard_input=secret)
    nix(folder, "build", "--no-link", f"path:{source}#other")
    path = nix(folder, "eval", "--raw", f"path:{source}#other.outPath")
    nix(folder, "copy", "--to", f"file://{folder}/cache?secret-key={folder}/secret&compression=none", path)
    files.folder = folder / "cache"
    return source, path, {"CUPEL_NIX_SUBSTITUTERS": files.url, "CUPEL_NIX_TRUSTED_PUBLIC_KEYS": public}


def built_here(build, name):
    return f"-{name}.drv'" in build.log and "building '/nix/store/" in build.log


def test_what_comes_from_a_cache_is_listed_apart(flakes, files, folder, cache):
    source, path, environment = cache
    build = flakes.build_folder(source, environment=environment).good()
    assert not built_here(build, "other") and built_here(build, "plain")
    found = build.of_kind("substituted")
    place = folder / "nix-store" / path.lstrip("/")
    assert [i["digest"] for i in found] == [{"sha256": nix(folder, "hash", "path", "--base16", place)}]
    assert found[0]["annotations"]["storePath"] == path
    assert found[0]["annotations"]["substituters"] == [files.url] == build.parameters["nix"]["substituters"]
    assert [p["name"] for p in build.parameters["phases"]] == ["prepare", "fetch", "substitute", "build"]
    assert build.artifact("plain") == b"made here"
    assert any(path.endswith(".narinfo") for path in files.asked)


def test_the_result_itself_is_never_taken_from_a_cache(flakes, files, folder, cache):
    source, _, environment = cache
    top = nix(folder, "eval", "--raw", f"path:{source}#default.outPath")
    nix(folder, "build", "--no-link", f"path:{source}")
    nix(folder, "copy", "--to", f"file://{folder}/cache?secret-key={folder}/secret&compression=none", top)
    build = flakes.build_folder(source, environment=environment).good()
    assert built_here(build, "plain") and not built_here(build, "other")
    assert top not in [i["annotations"]["storePath"] for i in build.of_kind("substituted")]


def test_a_cache_without_the_right_signature_is_not_believed(flakes, files, folder, cache):
    source, _, environment = cache
    other = nix(folder, "key", "generate-secret", "--key-name", "cache-1")
    wrong = nix(folder, "key", "convert-secret-to-public", standard_input=other)
    build = flakes.build_folder(source, environment={**environment, "CUPEL_NIX_TRUSTED_PUBLIC_KEYS": wrong}).good()
    assert built_here(build, "other") and not build.of_kind("substituted")


def test_altered_bytes_of_a_cache_are_not_taken(flakes, files, folder, cache):
    source, _, environment = cache
    archive, = (folder / "cache/nar").iterdir()
    archive.write_bytes(archive.read_bytes().replace(b"of another", b"OF ANOTHER"))
    build = flakes.build_folder(source, environment=environment).good()
    assert built_here(build, "other") and not build.of_kind("substituted")


def test_a_cache_that_is_away_is_done_without(flakes, files, cache):
    source, _, environment = cache
    files.server.shutdown()
    files.server.server_close()
    build = flakes.build_folder(source, environment=environment).good()
    assert built_here(build, "other") and not build.of_kind("substituted")


def test_a_cache_is_not_asked_without_the_operators_word(flakes, files, cache):
    source, _, _ = cache
    build = flakes.build_folder(source).good()
    assert built_here(build, "other") and not build.of_kind("substituted") and files.asked == []


def test_a_server_uses_the_operators_cache(new_server, folder, files, cache):
    source, path, environment = cache
    server = new_server("--allow-private-sources", environment=environment)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(source, "uses")
    job, _, outcome = server.build(out.getvalue())
    assert outcome == {"status": "ok"}, outcome
    statement = json.loads(unpack(server.result(job)[2])["provenance.json"])
    inputs = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    substituted = [i for i in inputs if i.get("annotations", {}).get("kind") == "substituted"]
    assert [i["annotations"]["storePath"] for i in substituted] == [path]


# Who builds

@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_builds_the_same(flakes, folder):
    source = flakes.write(WRITE)
    as_root = flakes.build_folder(source).good()
    home = folder / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    environment = {"HOME": str(home), "XDG_CACHE_HOME": f"{home}/cache"}
    build = Build(source, home / "output", user=user, environment=environment).good()
    assert build.statement["subject"] == as_root.statement["subject"]
    assert build.parameters["nix"]["outputs"] == as_root.parameters["nix"]["outputs"]
