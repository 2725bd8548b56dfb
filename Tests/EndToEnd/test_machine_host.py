# SPDX-License-Identifier: Apache-2.0
"""A host that lies: whatever it changes on the way between requester and machine, `cupel verify` refuses, and says what
differs."""
import json
import shutil
import subprocess
import tarfile

import pytest

from conftest import CUPEL, ENVIRONMENT, cupel, sha256, unpack
from lying_host import LyingHost
from test_machine_evidence import codes, judged


@pytest.fixture
def bundle(cargo_scene, folder):
    """A good bundle that may be changed."""
    with tarfile.open(cargo_scene.tarball) as archive:
        archive.extractall(folder / "bundle")
    return folder / "bundle/probe"


@pytest.fixture
def other(cloned_scene, folder):
    """The bundle of another build on the same server: as genuine, and not to be changed."""
    with tarfile.open(cloned_scene.tarball) as archive:
        archive.extractall(folder / "other")
    return next((folder / "other").iterdir())


def refused(bundle, acceptance, nonce, *options):
    """The codes for which a bundle is refused."""
    done = cupel("verify", bundle, *acceptance.options, "--nonce", nonce, "--json", *options, check=1)
    report = json.loads(done.stdout)
    for reason in report["findings"]:
        assert all(reason[name] for name in ("expected", "found", "remedy")), reason
    return codes(report)


def edit(path, change):
    """Changes a JSON file, and keeps it canonical."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def test_the_bundle_that_is_changed_below_is_good(bundle, cargo_scene, machine_acceptance):
    cupel("verify", bundle, *machine_acceptance.options, "--nonce", cargo_scene.nonce, check=0)


# ---- The source

def test_another_upload_in_its_place_is_refused(bundle, cargo_scene, machine_acceptance):
    statement = json.loads((bundle / "provenance.json").read_bytes())
    mine = statement["predicate"]["buildDefinition"]["externalParameters"]["source"]["sha256"]
    good = machine_acceptance.wanting(f'source: {{archive: "{mine}"}}')
    cupel("verify", bundle, *good.options, "--nonce", cargo_scene.nonce, check=0)
    bad = machine_acceptance.wanting(f'source: {{archive: "{sha256(b"what I sent")}"}}')
    assert refused(bundle, bad, cargo_scene.nonce) == {"policy.source.archive"}


def test_another_ref_that_the_guest_was_told_to_clone_is_refused(cloned_scene, machine_acceptance):
    assert cloned_scene.events[-1]["result"] == {"status": "ok"}, cloned_scene.events[-20:]
    uri = json.loads(unpack(cloned_scene.tarball.read_bytes())["provenance.json"])["predicate"]["buildDefinition"][
        "externalParameters"]["source"]["uri"]
    for ref, expected in (("other", set()), ("main", {"policy.source.ref"})):
        wanted = machine_acceptance.wanting(f'source: {{uri: "{uri}", ref: refs/heads/{ref}}}')
        assert codes(judged(cloned_scene, wanted)) == expected


# ---- The nonce

def test_another_nonce_is_refused(bundle, cargo_scene, machine_acceptance):
    assert refused(bundle, machine_acceptance, "00" * 16) == {"binding.freshness"}


def test_a_nonce_that_is_written_into_the_provenance_is_refused(bundle, cargo_scene, machine_acceptance):
    def change(statement):
        statement["predicate"]["buildDefinition"]["externalParameters"]["nonce"] = "00" * 16

    edit(bundle / "provenance.json", change)
    assert {"binding.provenance", "binding.nonce"} <= refused(bundle, machine_acceptance, "00" * 16)


# ---- The result

def change_artifact(bundle, _):
    body = bytearray((bundle / "artifacts/probe").read_bytes())
    body[len(body) // 2] ^= 1
    (bundle / "artifacts/probe").write_bytes(body)


def change_artifact_and_name_it(bundle, other):
    change_artifact(bundle, other)
    digest = sha256((bundle / "artifacts/probe").read_bytes())
    edit(bundle / "provenance.json", lambda statement: statement["subject"][0]["digest"].update(sha256=digest))


def add_artifact(bundle, _):
    (bundle / "artifacts/more").write_text("x")


def drop_artifact(bundle, _):
    (bundle / "artifacts/probe").unlink()


def change_source(bundle, _):
    def change(statement):
        statement["predicate"]["buildDefinition"]["externalParameters"]["source"]["sha256"] = "00" * 32
    edit(bundle / "provenance.json", change)


def change_log(bundle, _):
    log = (bundle / "build.log").read_text()
    (bundle / "build.log").write_text(log.replace("Compiling", "Examining"))


def change_bill(bundle, _):
    edit(bundle / "sbom.cdx.json", lambda bill: bill["metadata"]["component"].update(name="other"))


def swap_evidence(bundle, other):
    shutil.copy(other / "evidence.json", bundle)


def swap_provenance(bundle, other):
    shutil.copy(other / "provenance.json", bundle)


def swap_bundle(bundle, other):
    shutil.rmtree(bundle)
    shutil.copytree(other, bundle)


@pytest.mark.parametrize("lie, expected", [
    (change_artifact, {"file.digest"}), (change_artifact_and_name_it, {"binding.provenance"}),
    (add_artifact, {"file.unnamed"}), (drop_artifact, {"file.missing"}), (change_source, {"binding.provenance"}),
    (change_log, {"file.digest"}), (change_bill, {"file.digest"}),
    (swap_evidence, {"binding.provenance", "binding.nonce", "binding.freshness"}),
    (swap_provenance, {"binding.provenance", "binding.nonce"}), (swap_bundle, {"binding.freshness"}),
], ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_changed_in_the_result_is_refused(bundle, other, cargo_scene, machine_acceptance, lie, expected):
    lie(bundle, other)
    found = refused(bundle, machine_acceptance, cargo_scene.nonce)
    assert expected <= found, found


def quote(change):
    """A lie about the TPM's quote."""
    def lie(bundle):
        edit(bundle / "evidence.json", lambda envelope: change(envelope["evidence"]))
    return lie


def flipped(text):
    return ("0" if text[-1] != "0" else "1").join([text[:-1], ""])


def other_register(evidence):
    values = evidence["tpm_quote"]["pcrs"]["sha256"]
    values["11"] = flipped(values["11"])


def other_message(evidence):
    evidence["tpm_quote"]["message"] = flipped(evidence["tpm_quote"]["message"])


def other_signature(evidence):
    evidence["tpm_quote"]["signature"] = flipped(evidence["tpm_quote"]["signature"])


def no_certificate(evidence):
    del evidence["ak_certificate"]


@pytest.mark.parametrize("change, expected", [
    (other_register, "tpm.quote.digest"), (other_message, "tpm.quote.signature"),
    (other_signature, "tpm.quote.signature"), (no_certificate, "tpm.key."),
], ids=lambda value: getattr(value, "__name__", ""))
def test_evidence_that_is_changed_is_refused(bundle, cargo_scene, machine_acceptance, change, expected):
    quote(change)(bundle)
    found = refused(bundle, machine_acceptance, cargo_scene.nonce)
    assert any(code.startswith(expected) for code in found), found


def test_an_old_bundle_shown_again_is_refused(cargo_scene, machine_acceptance, folder):
    """The host has the job of an earlier requester answer a new one."""
    with LyingHost(cargo_scene.server.url) as host:
        host.answer_with(cargo_scene.job)
        done = requested(host, cargo_scene, "11" * 16, folder)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "nonce" in done.stdout + done.stderr


# ---- The events

def changed(lines):
    for line in lines:
        yield line.replace(b"Compiling", b"Examining")


def dropped(lines):
    for line in lines:
        if b"Compiling" not in line:
            yield line


def added(lines):
    for line in lines:
        yield line
        if b"Compiling" in line:
            yield b"\n" + line.replace(b"Compiling", b"Patching")


def swapped(lines):
    lines = list(lines)
    built = [number for number, line in enumerate(lines) if b'"type":"build"' in line]
    first, last = built[0], built[-1]
    lines[first], lines[last] = lines[last], lines[first]
    yield from lines


@pytest.mark.parametrize("lie", [changed, dropped, added, swapped], ids=lambda lie: lie.__name__)
def test_events_that_differ_from_the_attested_log_are_refused(cargo_scene, machine_acceptance, folder, lie):
    with LyingHost(cargo_scene.server.url) as host:
        host.answer_with(cargo_scene.job)
        host.change_events = lie
        done = requested(host, cargo_scene, cargo_scene.nonce, folder)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "other events than those of the build" in done.stderr
    # Whoever saved the stream can find it out afterwards.
    (folder / "events").write_bytes(host.shown)
    found = refused(cargo_scene.tarball, machine_acceptance, cargo_scene.nonce, "--events", folder / "events")
    assert found == {"events.log"}


def test_events_as_they_were_are_accepted(cargo_scene, machine_acceptance, folder):
    (folder / "events").write_bytes(cargo_scene.raw)
    cupel("verify", cargo_scene.tarball, *machine_acceptance.options, "--nonce", cargo_scene.nonce, "--events",
          folder / "events", check=0)


def requested(host, scene, nonce, folder):
    """What a requester of the same source gets of a host that has other plans."""
    return subprocess.run(
        [CUPEL, "build", scene.notes["project"], "--server", host.url, "--nonce", nonce, "--output", folder / "mine",
         "--json", *scene.notes["acceptance"].trust], capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
