# SPDX-License-Identifier: Apache-2.0
"""Policies, signed lists of images, summaries, and the report's schema, by the command line."""
import hashlib
import json
import shutil
import subprocess

import jsonschema
import pytest

from conftest import ROOT, cupel

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "docs/schemas/verification-report.schema.json").read_text()))


def conforming(done):
    """The report on standard output, once it meets the schema."""
    report = json.loads(done.stdout)
    SCHEMA.validate(report)
    assert report["exitCode"] == done.returncode
    return report


def provenance(bundle):
    return json.loads((bundle / "provenance.json").read_bytes())


@pytest.fixture
def copy(bundle, folder):
    """A copy of the good bundle that may be changed."""
    path = folder / "copy"
    shutil.copytree(bundle[0], path)
    return path


@pytest.fixture
def policy(folder):
    """Writes a policy of version 1 and returns its path."""
    def write(text):
        path = folder / "policy.yaml"
        path.write_text(f"version: 1\nacceptSoftwareUnsafely: true\n{text}\n")
        return path
    return write


def test_a_whole_policy_is_met(bundle, policy):
    path, nonce = bundle
    tools = {tool["name"]: tool for tool in provenance(path)["predicate"]["buildDefinition"]["internalParameters"]["tools"]}
    evidence = json.loads((path / "evidence.json").read_bytes())
    key = subprocess.run(["base64", "-d"], input=evidence["evidence"]["public_key"].encode(), capture_output=True).stdout.hex()
    archive = provenance(path)["predicate"]["buildDefinition"]["externalParameters"]["source"]["sha256"]
    file = policy(f"""
platforms: software
software: {{keys: "{key}"}}
requireNonce: true
maximumAge: 1d
source: {{archive: "{archive}"}}
builder: {{id: "https://github.com/cupel-build/*", version: {{cupel: "*"}}}}
buildTypes: "**/cargo-v1.md"
isolation: sandbox
toolchain: {{tools: [{{name: rustc, version: "rustc 1.*"}}, {{name: cargo, sha256: "{tools['cargo']['digest']['sha256']}"}}]}}
phasesWithoutNetwork: build
""")
    done = cupel("verify", path, "--policy", file, "--nonce", nonce, check=0)
    assert "as wanted: source, builder, build type, isolation, toolchain, network, age" in done.stdout
    assert len(done.stdout.splitlines()) <= 24, done.stdout
    assert "\x1b" not in done.stdout
    report = conforming(cupel("verify", path, "--policy", file, "--nonce", nonce, "--json", check=0))
    assert report["verdict"] == "verified" and report["slsaBuildLevel"] == 1
    assert cupel("verify", path, "--policy", file, check=1).stdout.count("policy.nonce") == 1


@pytest.mark.parametrize("text, code", [
    ("platforms: [snp, tdx]", "policy.platform"), ("source: {uri: https://example.com/x}", "policy.source.uri"),
    ("builder: {id: https://example.com/x}", "policy.builder.id"), ("isolation: snp", "policy.isolation"),
    ("toolchain: {tools: [{name: rustc, version: \"rustc 0.*\"}]}", "policy.tool.version"),
    ("require: {atLeast: 2}", "policy.quorum"), ("phasesWithoutNetwork: [fetch, test]", "policy.network"),
])
def test_a_breach_is_refused(bundle, policy, text, code):
    report = conforming(cupel("verify", bundle[0], "--policy", policy(text), "--json", check=1))
    assert {finding["code"] for finding in report["findings"]} == {code}


@pytest.mark.parametrize("text, message", [
    ("platfroms: snp", "line 4, platfroms: no such key; did you mean 'platforms'?"),
    ("requireNonce: yes", "line 4, requireNonce: 'yes' is text to some"),
    ("measurements: {lists: none.json, keys: none.pem}", "none.json could not be opened"),
])
def test_a_policy_that_is_not_understood_verifies_nothing(bundle, policy, text, message):
    done = cupel("verify", bundle[0], "--policy", policy("\n" + text), check=2)
    assert message in done.stderr, done.stderr
    assert done.stdout == ""


def test_a_policy_is_found_relative_to_itself_and_can_be_json(bundle, folder):
    key = folder / "keys"
    key.mkdir()
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key / "private.pem"], check=True)
    subprocess.run(["openssl", "pkey", "-in", key / "private.pem", "-pubout", "-out", key / "public.pem"], check=True)
    (key / "images.yaml").write_text(images())
    cupel("measurements", "sign", key / "images.yaml", "--key", key / "private.pem", "--output", key / "images.json", check=0)
    (key / "policy.json").write_text(json.dumps({
        "version": 1, "acceptSoftwareUnsafely": True,
        "measurements": {"lists": ["images.json"], "keys": ["public.pem"]}}, indent=1))
    cupel("verify", bundle[0], "--policy", key / "policy.json", cwd="/", check=0)


def images(expires="\"2999-01-01T00:00:00Z\""):
    return ("version: 1\n" + (f"expires: {expires}\n" if expires else "") + "images:\n  - platform: snp\n"
            "    name: cupel-guest\n    version: \"1.2.0\"\n    registers:\n      MEASUREMENT: \"" + "ab" * 48 + "\"\n")


@pytest.mark.parametrize("algorithm", [["ed25519"], ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]])
def test_lists_are_signed_and_shown(bundle, folder, algorithm):
    private, public, signed = folder / "private.pem", folder / "public.pem", folder / "images.json"
    subprocess.run(["openssl", "genpkey", "-algorithm", *algorithm, "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    (folder / "images.yaml").write_text(images())
    cupel("measurements", "sign", folder / "images.yaml", "--key", private, "--output", signed, check=0)
    shown = cupel("measurements", "show", signed, "--key", public, check=0)
    assert "cupel-guest 1.2.0, snp" in shown.stdout and "ab" * 48 in shown.stdout
    assert json.loads(cupel("measurements", "show", signed, "--json", check=0).stdout)["images"][0]["platform"] == "snp"
    arguments = ["verify", bundle[0], "--allow-software", "--measurements", signed]
    cupel(*arguments, "--measurements-key", public, check=0)
    assert "none is built in" in cupel(*arguments, check=2).stderr

    # OpenSSL agrees on what was signed.
    envelope = json.loads(signed.read_bytes())
    payload = subprocess.run(["base64", "-d"], input=envelope["payload"].encode(), capture_output=True).stdout
    kind = envelope["payloadType"].encode()
    (folder / "message").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    signature = subprocess.run(["base64", "-d"], input=envelope["signatures"][0]["sig"].encode(), capture_output=True).stdout
    (folder / "signature").write_bytes(signature)
    raw = ["-rawin"] if algorithm == ["ed25519"] else ["-rawin", "-digest", "sha256"]
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, *raw, "-in", folder / "message",
                    "-sigfile", folder / "signature"], check=True, capture_output=True)

    # Another key, another payload.
    other = folder / "other.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", other], check=True)
    cupel("measurements", "show", signed, "--key", other, check=1)
    cupel(*arguments, "--measurements-key", other, check=2)
    signed.write_text(json.dumps(envelope).replace(envelope["payload"][:8], envelope["payload"][8:16], 1))
    cupel(*arguments, "--measurements-key", public, check=2)


def test_lists_that_cannot_be_are_not_signed(folder):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "k"], check=True)
    for text in (images().replace("ab" * 48, "ab"), images("\"1999-01-01T00:00:00Z\""), "[]", images() + "more: 1\n"):
        (folder / "images.yaml").write_text(text)
        cupel("measurements", "sign", folder / "images.yaml", "--key", folder / "k", "--output", folder / "o", check=2)
        assert not (folder / "o").exists()
    (folder / "images.yaml").write_text(images())
    cupel("measurements", "sign", folder / "images.yaml", "--key", folder / "images.yaml", "--output", folder / "o", check=2)


def test_an_expired_list_is_not_used(bundle, folder):
    """Made by hand, as cupel signs none that has expired before it was issued."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "k"], check=True)
    subprocess.run(["openssl", "pkey", "-in", folder / "k", "-pubout", "-out", folder / "p"], check=True)
    (folder / "images.yaml").write_text(images("\"2001-01-01T00:00:00Z\"") + "issued: \"2000-01-01T00:00:00Z\"\n")
    cupel("measurements", "sign", folder / "images.yaml", "--key", folder / "k", "--output", folder / "o", check=0)
    done = cupel("verify", bundle[0], "--allow-software", "--measurements", folder / "o", "--measurements-key", folder / "p", check=2)
    assert "expired" in done.stderr
    cupel("measurements", "show", folder / "o", "--key", folder / "p", check=1)


def test_a_summary_is_written(bundle, copy, folder):
    path, nonce = bundle
    out = folder / "vsa.json"
    cupel("verify", path, "--allow-software", "--nonce", nonce, "--vsa", out, "--vsa-verifier", "https://example.com/me", check=0)
    body = out.read_bytes()
    vsa = json.loads(body)
    assert body == json.dumps(vsa, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert vsa["_type"] == "https://in-toto.io/Statement/v1"
    assert vsa["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert vsa["subject"] == provenance(path)["subject"]
    predicate = vsa["predicate"]
    assert predicate["verifier"]["id"] == "https://example.com/me"
    assert predicate["verificationResult"] == "PASSED" and predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1"]
    digests = {entry["uri"]: entry["digest"]["sha256"] for entry in predicate["inputAttestations"]}
    for name in ("provenance.json", "evidence.json"):
        assert digests[name] == hashlib.sha256((path / name).read_bytes()).hexdigest()
    assert predicate["policy"]["annotations"]["options"] == ["--allow-software", f"--nonce {nonce}"]

    cupel("verify", path, "--vsa", out, check=1)
    assert json.loads(out.read_bytes())["predicate"]["verificationResult"] == "FAILED"

    out.unlink()
    (copy / "evidence.json").write_text('{"evidence":{},"platform":"sgx"}')
    done = cupel("verify", copy, "--vsa", out, check=2)
    assert not out.exists() and "no summary" in done.stderr


def test_reports_of_every_verdict_meet_the_schema(bundle, copy):
    path, _ = bundle
    assert conforming(cupel("verify", path, "--allow-software", "--json"))["verdict"] == "verified"
    assert conforming(cupel("verify", path, "--json"))["verdict"] == "refused"
    (copy / "evidence.json").write_text('{"evidence":{},"platform":"sgx"}')
    assert conforming(cupel("verify", copy, "--json"))["verdict"] == "notChecked"
    (copy / "provenance.json").write_text("x")
    (copy / "evidence.json").write_text("x")
    assert conforming(cupel("verify", copy, "--json"))["verdict"] == "refused"
    for other, verdict in ((path, "verified"), (copy, "refused")):
        assert conforming(cupel("verify", path, other, "--allow-software", "--json"))["verdict"] == verdict


def test_bundles_are_verified_together(bundle, copy, policy):
    path, _ = bundle
    done = cupel("verify", path, copy, "--allow-software", check=0)
    assert "VERIFIED together: 2 of 2 bundles verify" in done.stdout
    (copy / "more").write_text("x")
    assert "1 of 2" in cupel("verify", path, copy, "--allow-software", check=1).stdout
    cupel("verify", path, copy, "--policy", policy("require: {atLeast: 1}"), check=0)
    done = cupel("verify", path, copy, "--policy", policy("require: {atLeast: 2}"), check=1)
    assert "policy.quorum" in done.stdout


def test_collateral_may_travel_in_its_folder_and_nowhere_else(copy):
    (copy / "collateral" / "tpm").mkdir(parents=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=CA",
         "-keyout", copy.parent / "key", "-outform", "DER", "-out", copy / "collateral" / "tpm" / "ca.der"],
        check=True, capture_output=True)
    done = cupel("verify", copy, "--allow-software", check=0)
    assert "1 file(s) in collateral/" in done.stdout, done.stdout + done.stderr
    (copy / "collateral" / "link").symlink_to("tpm/ca.der")
    assert "file.kind" in cupel("verify", copy, "--allow-software", check=1).stdout
    (copy / "collateral" / "link").unlink()
    (copy / "collateral" / "big").write_bytes(bytes((2 << 20) + 1))
    assert "file.collateral-size" in cupel("verify", copy, "--allow-software", check=1).stdout

