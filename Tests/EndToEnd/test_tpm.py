# SPDX-License-Identifier: Apache-2.0
"""Evidence of the platform `vtpm` from a TPM to a verdict, by the command line, and all that must be refused."""
import base64
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile

import jsonschema
import pytest

import virtual_tpm
from conftest import ROOT, cupel

pytestmark = pytest.mark.skipif(bool(virtual_tpm.MISSING), reason=f"{virtual_tpm.MISSING} are not installed")
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "docs/schemas/verification-report.schema.json").read_text()))
EVENTS = [(4, b"a unified kernel image"), (11, b".linux\0"), (11, b"a kernel"), (11, b".cmdline\0")]
DATA = hashlib.sha256(b"provenance").digest() + bytes(range(1, 17))


@pytest.fixture(scope="module")
def place():
    # Names of sockets are short.
    path = pathlib.Path(tempfile.mkdtemp(prefix="tpm-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def authority(place):
    return virtual_tpm.Authority(place / "ca")


@pytest.fixture(scope="module")
def new_machine(place, authority):
    made = []

    def make(by=authority, **options):
        made.append(virtual_tpm.Machine(place / f"m{len(made)}", by, **options))
        return made[-1]
    yield make
    for machine in made:
        machine.end()


@pytest.fixture(scope="module")
def machine(new_machine):
    return new_machine(events=EVENTS)


@pytest.fixture(scope="module")
def other(new_machine):
    return new_machine(events=EVENTS)


@pytest.fixture(scope="module")
def sound(machine):
    """Evidence of `machine`, with a log of what it measured."""
    envelope = machine.attest(DATA)
    envelope["evidence"]["event_log"] = base64.b64encode(virtual_tpm.event_log(EVENTS)).decode()
    return envelope


def registers(envelope):
    return {f"PCR{number}": value for number, value in envelope["evidence"]["tpm_quote"]["pcrs"]["sha256"].items()}


@pytest.fixture
def verify(folder, authority, sound):
    """Verifies a changed copy of the sound evidence; returns the exit code, all codes, and the report."""
    known = {name: value for name, value in registers(sound).items() if name not in ("PCR0", "PCR1", "PCR8")}

    def run(change=lambda evidence: None, images=None, ca=authority, options=(), envelope=None):
        envelope = json.loads(json.dumps(envelope or sound))
        change(envelope["evidence"])
        (folder / "evidence.json").write_text(json.dumps(envelope))
        entry = {"platform": "vtpm", "name": "cupel-guest", "version": "1.0.0", "registers": images or known}
        (folder / "policy.json").write_text(json.dumps({"version": 1, "images": [entry]}))
        named = ("--tpm-ca", ca.certificate) if ca else ()
        done = cupel("verify", "--evidence", folder / "evidence.json", "--policy", folder / "policy.json", *named,
                     *options, "--report-data", DATA.hex(), "--json")
        report = json.loads(done.stdout)
        SCHEMA.validate(report)
        assert report["machine"] == "measured, not confidential"
        return done.returncode, sorted({item["code"] for item in report["findings"] + report["obstacles"]}), report
    return run


def test_a_measured_machine_is_accepted_and_every_report_says_what_it_is(verify, folder, authority):
    status, codes, report = verify()
    assert (status, codes) == (0, []), report
    passed = {line["name"] for line in report["lines"] if line["status"] == "passed"}
    assert {"signature", "attestation key", "TPM", "event log", "measurement", "platform"} <= passed, report["lines"]
    assert any("measured, not confidential" in sentence for sentence in report["doesNotProve"])
    for options in (["--tpm-ca", authority.certificate], []):
        text = cupel("verify", "--evidence", folder / "evidence.json", *options).stdout
        assert "platform 'vtpm' (measured, not confidential)" in text.splitlines()[0], text
        assert "genuine hardware" not in text
    # The same however it is spelt.
    spellings = (["--tpm-ca", authority.certificate], [f"--tpm-ca={authority.certificate}"])
    assert len({cupel("verify", "--evidence", folder / "evidence.json", "--at", "2026-01-01T00:00:00Z", *spelling).stdout
                for spelling in spellings}) == 1


def test_the_ca_must_be_named(verify, new_machine, place):
    assert verify(ca=None)[:2] == (2, ["tpm.no-authority"])
    # Of the same name, with another key.
    twin = virtual_tpm.Authority(place / "twin")
    assert verify(ca=twin)[:2] == (1, ["tpm.certificate.path"])
    stranger = virtual_tpm.Authority(place / "stranger", name="somebody")
    assert verify(ca=stranger)[:2] == (1, ["tpm.certificate.path"])


def test_a_ca_that_is_none_is_refused(folder, sound):
    (folder / "evidence.json").write_text(json.dumps(sound))
    for content in (b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        (folder / "ca.pem").write_bytes(content)
        done = cupel("verify", "--evidence", folder / "evidence.json", "--tpm-ca", folder / "ca.pem", check=2)
        assert "ca.pem: " in done.stderr and "tpm-ca" in done.stderr, done.stderr
    cupel("verify", "--evidence", folder / "evidence.json", "--tpm-ca", folder / "none", check=2)


def test_certificates_of_other_keys_are_refused(verify, machine, other, authority):
    def put(field, certificate):
        return lambda evidence: evidence.update({field: base64.b64encode(certificate).decode()})
    assert verify(put("ak_certificate", other.certificate))[1] == ["tpm.key.certificate", "tpm.key.endorsement"]
    assert verify(put("ek_certificate", other.endorsement))[1] == ["tpm.key.endorsement"]
    # An endorsement certificate for the attestation key's: of another key, and for another purpose.
    assert verify(put("ak_certificate", machine.endorsement))[1] == ["tpm.certificate.purpose", "tpm.key.certificate"]
    key = (machine.folder / "ak.pem").read_bytes()
    for purpose, usage in [("2.23.133.8.1", "digitalSignature"), ("serverAuth", "digitalSignature"),
                           (virtual_tpm.ATTESTATION, "keyEncipherment")]:
        certificate = authority.certify(key, purpose, usage)
        assert verify(put("ak_certificate", certificate))[1] == ["tpm.certificate.purpose"], purpose
    assert verify(lambda evidence: evidence.pop("ak_certificate"))[1] == ["tpm.key.unbound"]
    status, codes, report = verify(lambda evidence: evidence.pop("ek_certificate"))
    assert status == 0 and any(line["name"] == "TPM" and line["status"] == "notChecked" for line in report["lines"])


def test_dates_are_judged(verify):
    assert verify(options=["--at", "2099-01-01T00:00:00Z"])[:2] == (1, ["tpm.certificate.dates"])
    assert verify(options=["--at", "2020-01-01T00:00:00Z"])[:2] == (1, ["tpm.certificate.dates"])


def test_a_key_that_signs_anything_is_refused(verify, new_machine):
    machine = new_machine(attributes=virtual_tpm.RESTRICTED.replace("|restricted", ""), events=EVENTS)
    assert verify(envelope=machine.attest(DATA))[:2] == (1, ["tpm.key.attributes"])
    # Its certificate does not make it another key.
    lie = machine.attest(DATA)
    public = bytearray(base64.b64decode(lie["evidence"]["ak_public"]))
    public[5] |= 1
    lie["evidence"]["ak_public"] = base64.b64encode(public).decode()
    status, codes, report = verify(envelope=lie)
    assert status == 0, "who certified it said that it is restricted: this is the CA's word alone"


def test_what_was_booted_must_be_known(verify, new_machine, sound):
    zero = "00" * 32
    known = registers(sound)
    assert known["PCR12"] == known["PCR15"] == zero
    status, codes, report = verify(images={**known, "PCR11": "11" * 32})
    assert (status, codes) == (1, ["measurement.unknown-image"])
    assert "other PCR11 than in the nearest, cupel-guest 1.0.0: unknown image" in report["findings"][0]["found"]
    # Not quoted at all: register 10 is the running kernel's.
    status, codes, report = verify(images={**known, "PCR10": zero})
    assert (status, codes) == (1, ["measurement.unknown-image"])
    assert "no PCR10, not quoted, than in the nearest" in report["findings"][0]["found"]
    assert verify(images={"PCR7": known["PCR7"]})[1] == ["measurement.system-not-named"]
    # A command line of somebody else's choice is measured into 12.
    overridden = new_machine(events=EVENTS + [(12, b"init=/bin/sh")])
    assert verify(envelope=overridden.attest(DATA))[:2] == (1, ["measurement.unknown-image"])


def test_a_log_must_give_what_was_quoted(verify):
    def log(*events, **options):
        content = base64.b64encode(virtual_tpm.event_log(events, **options)).decode()
        return lambda evidence: evidence.update(event_log=content)
    for changed in (EVENTS[:-1], EVENTS + EVENTS[-1:], EVENTS + [(12, b"more")], [EVENTS[1], EVENTS[2]],
                    [EVENTS[0], EVENTS[2], EVENTS[1], EVENTS[3]], EVENTS[:-1] + [(11, b"other")], []):
        assert verify(log(*changed))[:2] == (1, ["tpm.event-log"]), changed
    assert verify(log(*EVENTS, bank=0x0004, digest=hashlib.sha1))[:2] == (1, ["tpm.event-log"])
    assert verify(log(*EVENTS, bank=0x000C, digest=hashlib.sha384))[:2] == (1, ["tpm.event-log"])
    status, codes, report = verify(log(EVENTS[0]))
    assert status == 0 and any("it says nothing of SHA256 PCR 11" in line["compared"] for line in report["lines"])


def test_the_quote_must_cover_what_is_claimed(verify):
    def drop(register):
        return lambda evidence: evidence["tpm_quote"]["pcrs"]["sha256"].pop(register)

    def select_less(evidence):
        message = bytearray.fromhex(evidence["tpm_quote"]["message"])
        place = message.index(b"\x00\x0b\x03\xff\xfb\x00")
        message[place + 4] = 0x0B
        evidence["tpm_quote"]["message"] = message.hex()

    def add(evidence):
        evidence["tpm_quote"]["pcrs"]["sha256"]["10"] = "00" * 32
    assert "tpm.quote.values" in verify(drop("12"))[1]
    assert "tpm.quote.uncovered" in verify(add)[1]
    assert "tpm.quote.signature" in verify(select_less)[1]


def test_a_bundle_is_bound_to_its_provenance_and_nonce(bundle, folder, authority, machine, sound):
    """The evidence of a bundle that was built elsewhere, made anew: what counts is what it signs."""
    source, nonce = bundle
    path = folder / "bundle"
    shutil.copytree(source, path)
    provenance = (path / "provenance.json").read_bytes()
    digest = hashlib.sha256(provenance).digest()
    policy = folder / "policy.json"
    entry = {"platform": "vtpm", "name": "cupel-guest", "version": "1.0.0", "registers": registers(sound)}
    policy.write_text(json.dumps(
        {"version": 1, "images": [entry], "tpm": {"certificateAuthorities": [str(authority.certificate)]}}))

    def check(data, wanted):
        (path / "evidence.json").write_text(json.dumps(machine.attest(data), sort_keys=True, separators=(",", ":")))
        done = cupel("verify", path, "--policy", policy, "--nonce", nonce, "--json")
        report = json.loads(done.stdout)
        SCHEMA.validate(report)
        assert report["machine"] == "measured, not confidential"
        assert sorted({item["code"] for item in report["findings"]}) == wanted, report
        return report
    report = check(digest + bytes.fromhex(nonce), [])
    assert report["verdict"] == "verified" and report["slsaBuildLevel"] == 2
    text = cupel("verify", path, "--policy", policy, "--nonce", nonce, check=0).stdout
    assert "platform 'vtpm' (measured, not confidential)" in text.splitlines()[0]
    check(digest + bytes(15) + b"\x01", ["binding.freshness", "binding.nonce"])
    check(hashlib.sha256(provenance + b" ").digest() + bytes.fromhex(nonce), ["binding.provenance"])
    check(digest + bytes.fromhex(nonce), [])
    alone = cupel("verify", path, "--accept-any-measurement", "--nonce", nonce, check=2).stdout
    assert "tpm.no-authority" in alone and "(measured, not confidential)" in alone


def test_others_find_it_sound(machine, sound, folder, authority):
    """tpm2-tools and openssl on what the evidence holds."""
    evidence = sound["evidence"]
    key = base64.b64decode(evidence["ak_public"])
    (folder / "key").write_bytes(struct.pack(">H", len(key)) + key)
    (folder / "message").write_bytes(bytes.fromhex(evidence["tpm_quote"]["message"]))
    (folder / "signature").write_bytes(bytes.fromhex(evidence["tpm_quote"]["signature"]))
    check = ["tpm2_checkquote", "-u", "key", "-m", "message", "-s", "signature", "-g", "sha256", "-q"]
    assert subprocess.run([*check, DATA.hex()], cwd=folder, capture_output=True).returncode == 0
    assert subprocess.run([*check, DATA.hex()[:-2]], cwd=folder, capture_output=True).returncode != 0
    for name in ("ak_certificate", "ek_certificate"):
        (folder / "c.der").write_bytes(base64.b64decode(evidence[name]))
        subprocess.run(["openssl", "x509", "-inform", "der", "-in", "c.der", "-out", "c.pem"], cwd=folder, check=True)
        subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "any", "-CAfile", authority.certificate, "c.pem"],
                       cwd=folder, check=True, capture_output=True)


def test_inspect_shows_what_ties_the_keys(folder, sound, machine):
    (folder / "evidence.json").write_text(json.dumps(sound))
    shown = json.loads(cupel("inspect", folder / "evidence.json", "--json", check=0).stdout)["fields"]["evidence"]
    names = shown["ak_certificate"]["extensions"]["subjectAltName"]
    assert names[0]["identifierValue"] == hashlib.sha256(machine.endorsement).hexdigest(), names
    assert names[0]["identifierValue"] == shown["ek_certificate"]["SHA-256"]
    assert shown["ak_certificate"]["extensions"]["extKeyUsage"] == [virtual_tpm.ATTESTATION]
    text = cupel("inspect", folder / "evidence.json", check=0).stdout
    assert "tcg-on-ekPermIdSha256" in text and "tcg-kp-AIKCertificate: an attestation key" in text
