# SPDX-License-Identifier: Apache-2.0
"""Builds in machines, over the public API, and what their evidence is worth: the original image's is accepted by the
list that was computed from its files; those of images that differ in one thing are not."""
import hashlib
import json
import stat
import subprocess
import tarfile

import pytest

from conftest import cupel
from machine_census import machines
from machine_server import wait_for

ORDER = ["queued", "vm", "detect", "init", "build", "provenance", "attest", "complete"]
FIRST = {"detect": "cargo", "init": "Verifying build inputs", "provenance": "Generating provenance",
         "attest": "Generating attestation"}


def test_a_cargo_package_is_built_in_a_machine(cargo_scene, machine_acceptance, folder):
    scene = cargo_scene
    assert scene.events[-1]["result"] == {"status": "ok"}, scene.events[-20:]
    kinds = [event["type"] for event in scene.events]
    assert list(dict.fromkeys(kinds)) == ORDER, kinds
    assert kinds == sorted(kinds, key=ORDER.index) and kinds.count("complete") == 1, kinds
    for kind, message in FIRST.items():
        assert next(event["msg"] for event in scene.events if event["type"] == kind) == message
    assert any("Compiling probe v0.1.0" in event.get("msg", "") for event in scene.events)

    done = verify(scene.tarball, machine_acceptance, "--nonce", scene.nonce)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "measured, not confidential" in done.stdout, done.stdout
    with tarfile.open(scene.tarball) as archive:
        archive.extractall(folder)
    program = folder / "probe/artifacts/probe"
    assert program.stat().st_mode & stat.S_IXUSR
    assert subprocess.run([program], capture_output=True, text=True).stdout == "hello\n"
    parameters = provenance(folder / "probe")["predicate"]["buildDefinition"]["internalParameters"]
    assert parameters["isolation"] == "vtpm"
    assert [phase["network"] for phase in parameters["phases"] if phase["name"] == "build"] == [False]


def test_tools_are_named_by_what_the_files_of_the_image_digest_to(cargo_scene, stage, folder):
    """The guest takes digests from a list; whoever has the image computes them from its files."""
    root = folder / "root"
    subprocess.run(["fsck.erofs", f"--extract={root}", stage.image / "root.img"], check=True, capture_output=True)
    with tarfile.open(cargo_scene.tarball) as archive:
        archive.extractall(folder)
    tools = provenance(folder / "probe")["predicate"]["buildDefinition"]["internalParameters"]["tools"]
    # Some have the name that Debian's links give them.
    programs = {"cargo": "usr/bin/cargo", "rustc": "usr/bin/rustc", "cc": "usr/bin/x86_64-linux-gnu-gcc-12",
                "ld": "usr/bin/x86_64-linux-gnu-ld.bfd"}
    for tool in tools:
        name, digest = tool["name"], tool["digest"]
        if name.startswith("rust-std-"):
            library = root / f"usr/lib/rustlib/{name.removeprefix('rust-std-')}/lib"
            lines = [f"{sha256(path)}  {path.name}\n" for path in library.iterdir() if path.is_file()]
            text = "".join(sorted(lines, key=lambda line: line[66:].encode()))
            assert digest == {"dirHash": hashlib.sha256(text.encode()).hexdigest()}, name
        elif name.startswith("rustc/"):
            found = {sha256(path) for path in root.rglob(name.removeprefix("rustc/")) if path.is_file()}
            assert found == {digest["sha256"]}, name
        else:
            assert digest == {"sha256": sha256(root / programs[name])}, name
    assert {tool["name"] for tool in tools} > set(programs) | {"rust-std-x86_64-unknown-linux-gnu"}


def test_a_second_reading_is_the_same_also_after_a_restart(cargo_scene, cloned_scene):
    # Nothing runs there any more.
    assert cloned_scene.server is cargo_scene.server
    server, job = cargo_scene.server, cargo_scene.job
    assert server.raw_events(job) == cargo_scene.raw
    assert server.terminate() == 0
    server.start()
    assert server.raw_events(job) == cargo_scene.raw
    assert server.result(job)[2] == cargo_scene.tarball.read_bytes()


def test_a_machine_builds_once(cargo_scene):
    status, body = cargo_scene.notes["second"]
    assert status == 409 and json.loads(body)["status"] == "failed", (status, body)
    # It is gone, with all that was its own, but for the one that waits for the next build.
    wait_for(lambda: len(machines(cargo_scene.server.data)) <= 1, 60, "a machine is there that has built")


def test_whoever_submits_sees_the_build_and_gets_its_bundle(cargo_scene):
    output, errors, status = cargo_scene.notes["client"]
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line for line in lines if line.get("type") in ORDER] == cargo_scene.events, errors
    assert status == 0 and lines[-1]["status"] == "ok", errors


def test_without_the_name_of_its_ca_nothing_is_believed(cargo_scene, machine_acceptance):
    report = judged(cargo_scene, machine_acceptance.without_authority())
    assert report["exitCode"] == 2 and codes(report) == {"tpm.no-authority"}, report


def test_without_a_list_the_image_is_unknown(cargo_scene, machine_acceptance):
    report = judged(cargo_scene, machine_acceptance.without_list())
    assert report["exitCode"] == 1 and codes(report) == {"measurement.unknown-image"}, report


@pytest.mark.parametrize("name", ["other_command_line", "other_initrd", "other_guest_program"])
def test_another_image_is_refused(name, stage, machine_acceptance):
    scene = stage[name]
    assert scene.events[-1]["result"] == {"status": "ok"}, scene.events[-20:]
    # By its own list it is accepted: nothing else is wrong with it.
    own = machine_acceptance.of(scene.notes["image"], scene.server)
    done = verify(scene.tarball, own, "--nonce", scene.nonce)
    assert done.returncode == 0, done.stdout + done.stderr
    report = judged(scene, machine_acceptance.of(stage.image, scene.server))
    assert report["exitCode"] == 1 and codes(report) == {"measurement.unknown-image"}, report


def verify(bundle, acceptance, *options):
    return cupel("verify", bundle, *acceptance.options, *options)


def judged(scene, acceptance, *options):
    """The report on a scene's bundle."""
    return json.loads(verify(scene.tarball, acceptance, "--nonce", scene.nonce, "--json", *options).stdout)


def codes(report):
    return {reason["code"] for reason in report.get("findings", []) + report.get("obstacles", [])}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance(bundle):
    return json.loads((bundle / "provenance.json").read_bytes())
