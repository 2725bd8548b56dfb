# SPDX-License-Identifier: Apache-2.0
"""Flakes built end to end with this machine's Nix: what comes out, and what the provenance says of it."""
import json
import os
import re
import subprocess
import tarfile

import pytest

from conftest import SHARED, cupel, log_of, sha256, unpack
from nix_flakes import OTHER, flakes, maker, make, needs_compiler, needs_nix, nix  # noqa: F401 (fixtures)

pytestmark = needs_nix


def mini(folder):
    """The C program of the shared projects, with its compiler beside it."""
    archive = SHARED / "projects/nix-mini.tar.gz"
    if not archive.exists():
        pytest.skip("the shared projects are not here")
    with tarfile.open(archive) as tar:
        tar.extractall(folder)
    subprocess.run([folder / "nix-mini/make-toolchain.sh"], check=True)
    return folder / "nix-mini"


@needs_compiler
def test_a_flake_that_compiles_c_over_the_api(server, folder):
    source = mini(folder)
    archive = folder / "nix-mini.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, "nix-mini")
    nonce = "c0ffee"
    results = []
    for _ in range(2):
        job = server.submit(archive.read_bytes(), name=archive.name, nonce=nonce)
        events = server.events(job)
        assert events[-1]["result"] == {"status": "ok"}, events[-5:]
        results.append(server.result(job)[2])
    kinds = [e["type"] for e in events]
    order = ["queued", "detect", "init", "build", "provenance", "attest", "complete"]
    assert [k for i, k in enumerate(kinds) if k not in kinds[:i]] == order, kinds
    assert [e for e in events if e["type"] == "detect"] == [{"type": "detect", "msg": "nix"}]
    assert next(e["msg"] for e in events if e["type"] == "init") == "Verifying build inputs"
    assert server.events(job) == events
    assert "building '/nix/store/" in log_of(events)

    bundle = folder / "bundle.tar.gz"
    bundle.write_bytes(results[1])
    cupel("verify", bundle, "--allow-software", "--nonce", nonce, check=0)
    first, second = map(unpack, results)
    program = first["artifacts/nix-mini-0.1"]
    assert program == second["artifacts/nix-mini-0.1"], "the second build made other bytes"
    statement = json.loads(first["provenance.json"])
    assert statement["subject"] == [{"name": "nix-mini-0.1", "digest": {"sha256": sha256(program)}}]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["buildType"].endswith("/docs/build-types/nix-v1.md")
    lockfile = definition["resolvedDependencies"][1]
    assert lockfile == {"name": "flake.lock", "digest": {"sha256": sha256((source / "flake.lock").read_bytes())}}

    made = folder / "wc"
    made.write_bytes(program)
    made.chmod(0o755)
    counted = subprocess.run([made], input="one two\nthree\n", capture_output=True, text=True)
    assert counted.returncode == 0 and counted.stdout.split()[:3] == ["2", "3", "14"], counted

    # By hand, with the same Nix and without its sandbox, the same bytes come out.
    link = folder / "by-hand"
    nix(folder, "build", f"path:{source}", "--out-link", link)
    by_hand = folder / "nix-store" / os.readlink(link).lstrip("/")
    assert by_hand.read_bytes() == program
    assert definition["internalParameters"]["nix"]["outputs"] == {"out": os.readlink(link)}


def test_tools_phases_and_parameters(flakes):
    build = flakes.build(make("plain", "write", "${out}", "x")).good()
    tools = {t["name"]: t for t in build.parameters["tools"]}
    assert {"nix", "nix/libnixstore.so", "nix/libnixexpr.so"} <= set(tools), tools
    assert all(re.fullmatch("nix(/libnix.*|)|sh", name) for name in tools)
    version = subprocess.run(["/usr/bin/nix", "--version"], capture_output=True, text=True).stdout.strip()
    assert tools["nix"]["annotations"]["version"] == version
    assert tools["nix"]["digest"]["sha256"] == sha256(open(os.path.realpath("/usr/bin/nix"), "rb").read())
    phases = [(p["name"], p["network"]) for p in build.parameters["phases"]]
    assert phases == [("prepare", False), ("fetch", True), ("build", False)]
    parameters = build.parameters["nix"]
    assert parameters["system"] == "x86_64-linux" and parameters["substituters"] == []
    assert re.fullmatch("/nix/store/[0-9a-z]{32}-plain.drv", parameters["derivation"])
    assert re.fullmatch("/nix/store/[0-9a-z]{32}-plain", parameters["outputs"]["out"])
    assert "attribute" not in parameters
    assert build.parameters["commandLine"][-1] == parameters["derivation"]
    assert build.inputs[1]["name"] == "flake.nix", "a flake without inputs needs no flake.lock"


def verified(build):
    cupel("verify", build.folder, "--allow-software", check=0)


def names(build):
    root = build.folder / "artifacts"
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink() or not p.is_dir())


def test_a_tree_with_links_inside_is_kept_as_it_is(flakes):
    build = flakes.build(make(
        "tree", "folder", "${out}", "folder", "${out}/bin", "folder", "${out}/lib", "folder", "${out}/share",
        "program", "${out}/bin/tool", "#!/bin/sh\n", "write", "${out}/lib/lib.so.1", "library",
        "write", "${out}/share/doc", "text", "link", "${out}/lib/lib.so", "lib.so.1",
        "link", "${out}/bin/absolute", "${out}/lib/lib.so", "link", "${out}/sbin", "bin")).good()
    assert names(build) == ["bin/absolute", "bin/tool", "lib/lib.so", "lib/lib.so.1", "sbin", "share/doc"]
    root = build.folder / "artifacts"
    links = {str(p.relative_to(root)): os.readlink(p) for p in root.rglob("*") if p.is_symlink()}
    assert links == {"bin/absolute": "../lib/lib.so", "lib/lib.so": "lib.so.1", "sbin": "bin"}
    assert os.access(root / "bin/tool", os.X_OK) and not os.access(root / "share/doc", os.X_OK)
    assert build.artifact("bin/absolute") == b"library"
    assert [s["name"] for s in build.statement["subject"]] == ["bin/tool", "lib/lib.so.1", "share/doc"]
    # What leads within the output by an absolute path names the output only, which is no other store path.
    assert "runtime_store_paths" not in [b["name"] for b in build.byproducts]
    verified(build)


def test_what_a_link_to_another_store_path_leads_to_is_taken(flakes):
    build = flakes.build(
        'make "linked" [ "folder" out "link" "${out}/text" "${inputs.self.packages.${system}.other}/text" '
        '"link" "${out}/folder" "${inputs.self.packages.${system}.other}" ]', packages=OTHER).good()
    assert names(build) == ["folder/text", "text"]
    assert build.artifact("text") == build.artifact("folder/text") == b"of another"
    assert not (build.folder / "artifacts/text").is_symlink()
    verified(build)


def test_store_paths_that_an_artifact_names_are_said(flakes):
    build = flakes.build(
        'make "script" [ "program" out "#!${inputs.self.packages.${system}.other}/text" ]', packages=OTHER).good()
    needed = next(b for b in build.byproducts if b["name"] == "runtime_store_paths")
    paths = needed["annotations"]["paths"]
    assert len(paths) == 1 and re.fullmatch("/nix/store/[0-9a-z]{32}-other", paths[0])
    assert needed["digest"]["sha256"] == sha256(json.dumps(paths, separators=(",", ":")).encode())
    assert paths[0].encode() in build.artifact("script")
    said = [e["msg"] for e in build.events if e.get("type") == "provenance"]
    assert any(paths[0] in text and "run time" in text for text in said), said
    verified(build)


def test_two_outputs_each_have_a_folder(flakes):
    build = flakes.build(
        'let it = makeWith { name = "two"; outputs = [ "out" "doc" ]; args = [ "write" out "program" '
        '"folder" (placeholder "doc") "write" "${placeholder "doc"}/text" "documentation" ]; }; '
        'in it // { meta.outputsToInstall = [ "out" "doc" ]; }').good()
    assert names(build) == ["doc/text", "out/two"], names(build)
    assert set(build.parameters["nix"]["outputs"]) == {"out", "doc"}
    verified(build)


def test_only_the_outputs_to_install_are_artifacts(flakes):
    build = flakes.build(
        'makeWith { name = "two"; outputs = [ "out" "doc" ]; args = [ "write" out "program" '
        '"write" (placeholder "doc") "documentation" ]; }').good()
    assert names(build) == ["two"]


def test_a_setuid_program_comes_out_without_the_bit(flakes):
    build = flakes.build(make("plain", "program", "${out}", "x", "mode", "${out}", "4755")).good()
    assert "mode: -1" in build.log, "Nix's own sandbox refuses it"
    assert (build.folder / "artifacts/plain").stat().st_mode & 0o7777 == 0o755
