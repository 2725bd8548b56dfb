# SPDX-License-Identifier: Apache-2.0
"""Every published vector through `cupel verify --evidence` and `cupel inspect`, as a user would run them: the verdict
that each must have, the reason for each refusal, and every fact."""
import base64
import hashlib
import json
import shutil
import subprocess
import sys

import pytest

import evidence_facts as facts
from conftest import SHARED, cupel

VECTORS = SHARED / "vectors"
GROUPS = ["snp", "tdx", "azure-snp", "azure-tdx", "tpm", "intel-collateral", "amd-roots"]
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"the shared vectors are not at {VECTORS}")


def rows(*groups, check=None):
    """The rows of groups, as (group, row); none where the vectors are absent."""
    found = []
    for group in groups:
        path = VECTORS / group / "INDEX.json"
        for row in json.loads(path.read_text())["vectors"] if path.exists() else []:
            if check is None or row["check"] == check:
                found.append(pytest.param(group, row, id=f"{group}/{row['id']}"))
    return found


def file(group, row, role):
    name = row["files"][role]
    return VECTORS / name if "/" in name else VECTORS / group / name


def inspect(path):
    """(exit code, format and fields) of a file."""
    done = cupel("inspect", path, "--json")
    assert done.returncode in (0, 2), done.stderr
    answer = json.loads(done.stdout)
    assert done.returncode == 0 or "malformed" in done.stdout or answer.get("type") == "error"
    return done.returncode, answer


def fields(path, format):
    status, answer = inspect(path)
    assert answer.get("format") == format, answer
    return answer["fields"]


def verify(path, *options, now=None):
    """(exit code, codes, report) of bare evidence, without a network and without a cache."""
    if now:
        options += ("--at", now)
    done = cupel("verify", "--evidence", path, "--json", "--offline", "--collateral-cache", "/nonexistent", *options)
    report = json.loads(done.stdout)
    assert report["exitCode"] == done.returncode, report
    reasons = report.get("findings", []) + report.get("obstacles", [])
    for reason in reasons:
        assert all(reason[name] for name in ("code", "subject", "expected", "found", "remedy")), reason
    return done.returncode, {reason["code"] for reason in reasons}, report


def compare(found, expected, judged=()):
    """Every fact that is expected is found and equal, but for those that a verdict says."""
    for key, value in expected.items():
        if key in judged:
            continue
        assert key in found, f"nothing says {key}"
        if isinstance(value, dict) and isinstance(found[key], dict):
            compare(found[key], value, judged)
        else:
            assert found[key] == value, key


# ---- SEV-SNP

SNP_SIGNATURE = {"snp.signature"}
SNP_CODES = {
    "milan-v2-debug-google": {"snp.policy.debug"}, "neg-flip-version": {"evidence.malformed"},
    "neg-flip-reported-tcb": {"snp.signature", "snp.certificate.tcb"},
    "neg-flip-committed-tcb": {"snp.signature", "snp.tcb.order"}, "neg-sig-reserved-nonzero": {"evidence.malformed"},
    "neg-truncated": {"evidence.malformed"}, "neg-sig-bigendian": {"evidence.malformed"},
    "neg-wrong-chip-vcek": {"snp.signature", "snp.certificate.chip-id", "snp.certificate.tcb"},
    "neg-wrong-product-vcek": {
        "snp.signature", "snp.certificate.product", "snp.certificate.chip-id", "snp.certificate.tcb"},
    "neg-turin-vcek-other-chip": {"snp.signature", "snp.certificate.chip-id", "snp.certificate.tcb"},
    "neg-vcek-forged-legacy": {
        "snp.signature", "snp.certificate.chip-id", "snp.certificate.tcb", "snp.certificate.chain"},
    "neg-vlek-for-vcek-report": {"snp.signature", "snp.certificate.key-kind", "snp.certificate.tcb"},
    "neg-vcek-cert-sig-flip": {"snp.certificate.chain"}, "neg-chain-genoa-for-milan": {"snp.certificate.issuers"},
    "neg-selfmade-root": {"snp.certificate.chain", "snp.certificate.issuers"},
    "neg-vcek-missing-spl-ext": {"certificate.malformed"},
}
# Facts that compare the report with its certificate: `verify` says them, by this code where they are false.
SNP_JUDGED = {
    "signature_valid": "snp.signature", "vek_tcb_matches_reported_tcb": "snp.certificate.tcb",
    "vek_hwid_matches_chip_id": "snp.certificate.chip-id", "vek_kind_matches_signing_key": "snp.certificate.key-kind",
    "chain_valid_to_ark": None, "chain_issuer_cn": None, "ark_product": None, "product_consistent": None,
    "overall_valid": None,
}


def day_of(certificate):
    """A time at which a certificate is good: the chains of the vectors are older than today."""
    return fields(certificate, "X.509 certificate")["notBefore"][:11] + "23:59:59Z"


def snp_evidence(group, row, folder):
    """What is verified, and the options: the certificate beside the report where both are genuine, else with it in an
    envelope: a certificate beside evidence that does not fit it is left aside."""
    report, key = file(group, row, "report"), file(group, row, "vek")
    if "auxblob" in row["files"]:
        (folder / "outblob").write_bytes(report.read_bytes())
        (folder / "auxblob").write_bytes(file(group, row, "auxblob").read_bytes())
        return folder, ()
    certificates = {"vcek": base64.b64encode(key.read_bytes()).decode()}
    if "chain" in row["files"]:
        pem = file(group, row, "chain").read_text().split("-----BEGIN CERTIFICATE-----")[1:]
        certificates["ask"], certificates["ark"] = ("".join(part.split("-----END")[0].split()) for part in pem)
    elif row["expect"] == "valid" or row["id"] == "neg-empty":
        return report, ("--collateral", key)
    envelope = {"platform": "snp", "evidence": {
        "attestation_report": base64.b64encode(report.read_bytes()).decode(), "cert_chain": certificates}}
    (folder / "evidence.json").write_text(json.dumps(envelope))
    return folder / "evidence.json", ()


@pytest.mark.parametrize("group, row", rows("snp"))
def test_snp_reports(group, row, folder):
    path, options = snp_evidence(group, row, folder)
    now = day_of(file(group, row, "vek"))
    status, codes, report = verify(path, *options, "--accept-any-measurement", now=now)
    if row["id"] == "neg-empty":
        assert status == 2 and "is no evidence that cupel knows (0 bytes)" in report["error"]
        return
    expected = SNP_CODES.get(row["id"], SNP_SIGNATURE if row["expect"] == "invalid" else set())
    assert (status, codes) == (1 if expected else 0, expected)
    # Without an allow-list, genuine hardware is still of nobody's image.
    strict, strict_codes, strict_report = verify(path, *options, now=now)
    assert strict == 1 and (expected or strict_codes == {"measurement.unknown-image"})
    assert strict_report["unknownImage"] == (not expected)
    for name, code in SNP_JUDGED.items():
        if code and row["expected"].get(name) is not None and not codes & {"evidence.malformed", "certificate.malformed"}:
            assert (code not in codes) == row["expected"][name], name


@pytest.mark.parametrize("group, row", rows("snp"))
def test_snp_facts(group, row, folder):
    expected = row["expected"]
    status, answer = inspect(file(group, row, "report"))
    found = {}
    if status == 0:
        found = facts.snp_report(answer["fields"])
    else:
        assert row["expect"] == "invalid" and answer["type"] == "error"
    if not expected.get("parse_error"):
        found.update(facts.vek(fields(file(group, row, "vek"), "X.509 certificate")))
    keys = set(found) if status else set(expected)
    compare(found, {key: value for key, value in expected.items() if key in keys}, {*SNP_JUDGED, "parse_error"})
    if "auxblob" in row["files"]:
        table = fields(file(group, row, "auxblob"), "SNP certificate table")["CERT_TABLE"]
        rows = [{"guid": e["GUID"], "offset": e["offset"], "length": e["length"]} for e in table]
        assert rows == row["args"]["auxblob_table"]


def test_what_was_signed_is_compared_whole():
    report, key = VECTORS / "snp/milan-v5-gcp-reportdata.report.bin", VECTORS / "snp/milan-v5-gcp-reportdata.vek.der"
    signed = fields(report, "SNP report")["REPORT_DATA"]["value"]
    options = ("--collateral", key, "--accept-any-measurement")
    now = day_of(key)
    other = ("0" if signed[0] != "0" else "1") + signed[1:]
    cases = [
        (("--report-data", signed), 0, set()), (("--report-data", signed.upper()), 0, set()),
        (("--report-data", other), 1, {"binding.report-data"}),
        (("--report-data", signed[:-2]), 1, {"binding.report-data"}),
        (("--report-data", "00" * 64), 1, {"binding.report-data"}),
        (("--nonce", signed), 0, set()), (("--nonce", other), 1, {"binding.freshness"}),
        (("--nonce", signed[:16]), 1, {"binding.freshness"}), (("--report-data", signed, "--nonce", signed), 0, set()),
    ]
    for more, status, codes in cases:
        found = verify(report, *options, *more, now=now)
        assert found[:2] == (status, codes), more
    _, _, report_without = verify(report, *options, now=now)
    lines = {line["name"]: line for line in report_without["lines"]}
    assert lines["binding"]["status"] == lines["freshness"]["status"] == "notChecked"
    assert "not compared" in lines["binding"]["compared"] and report_without["signed"] == signed


@pytest.mark.parametrize("options, word", [
    ([], "name a bundle"), (["bundle", "--evidence", "x"], "not both"), (["--evidence", "nowhere"], "nowhere"),
    (["bundle", "--report-data", "00"], "--report-data"), (["--evidence", "x", "--vsa", "y"], "--vsa"),
    (["--evidence", "REPORT", "--report-data", "0"], "--report-data"),
    (["--evidence", "REPORT", "--report-data", "xy"], "--report-data"),
    (["--evidence", "REPORT", "--report-data", "00" * 65], "--report-data"),
    (["--evidence", "REPORT", "--nonce", ""], "--nonce"), (["--evidence", "REPORT", "--nonce", "0000"], "zeros"),
    (["--evidence", "REPORT", "--at", "yesterday"], "--at"), (["--evidence", "REPORT", "--at", "build"], "build"),
    (["--evidence", "KEY"], "X.509 certificate"), (["--evidence", "MESSAGE"], "proves nothing alone"),
    (["--evidence", "/etc/passwd"], "no evidence that cupel knows"),
])
def test_wrong_usage_exits_with_2_and_one_sentence(options, word, folder):
    places = {"REPORT": VECTORS / "snp/milan-v5-gcp.report.bin", "KEY": VECTORS / "snp/milan-v5-gcp.vek.der",
              "MESSAGE": VECTORS / "tpm/keylime-rsassa.msg.bin"}
    done = cupel("verify", *[places.get(option, option) for option in options], cwd=folder)
    assert done.returncode == 2, (done.stdout, done.stderr)
    errors = [line for line in done.stderr.splitlines() if line.startswith("cupel: error:")]
    assert len(errors) == 1 and word in errors[0], done.stderr


# ---- TDX

TDX_SIGNATURE = {"tdx.quote.signature"}
TDX_CODES = {
    "tdx-v5-alibaba@90c06f000000-202603": {"tdx.service-td", "tdx.tcb.status"},
    "tdx-v5-phala-unsupported-tcb@90c06f000000-202602": {"tdx.tcb.no-level"},
    "tdx-v4-gcp-8000@00806f050000-202510": {"tdx.tcb.status"},
    "tdx-v4-coco-debug@50806f000000-202603": {"tdx.attributes.debug", "tdx.tcb.status"},
    "tdx-v4-moemahhouk@90c06f000000-202603": {"tdx.tcb.no-level"},
    "tdx-v4-coco-gnr@00a06d080000-202510": {"tdx.tcb.status"}, "tdx-v4-tappd@b0c06f000000-202506": {"tdx.tcb.no-level"},
    "tdx-v4-azure-teekit@00806f050000-202510": {"tdx.attributes.sept-ve-disable"},
    "neg-v5-google-mr-service-td": {"tdx.quote.signature", "tdx.service-td"},
    "neg-v4-pck-leaf-altered": {"tdx.pck.chain"}, "neg-v4-spliced": TDX_SIGNATURE,
    "neg-v4-fmspc-mismatch": {"tdx.collateral.missing"}, "neg-v4-tcbinfo-tampered": {"tdx.tcb-info.signature"},
    "neg-v4-collateral-expired": {"tdx.collateral.dates"}, "neg-intel-sample-test-pki": {"certificate.malformed"},
    "neg-v4-selfmade-root": {"tdx.root"},
}
for _name in ("truncated-header", "siglen-overflow", "truncated-certs", "version-6", "certdata-len-short"):
    TDX_CODES[f"neg-v4-{_name}"] = {"evidence.malformed"}
TDX_CODES["neg-v5-bodytype-mismatch"] = {"evidence.malformed"}
for _quote in ("v4-phala-1", "v5-google"):
    TDX_CODES[f"neg-{_quote}-att-key"] = {"tdx.attestation-key", "tdx.quote.signature"}
    TDX_CODES[f"neg-{_quote}-qe-isvsvn"] = TDX_CODES[f"neg-{_quote}-qe-report-sig"] = {"tdx.qe.signature"}
    TDX_CODES[f"neg-{_quote}-qe-report-data"] = {"tdx.attestation-key", "tdx.qe.signature"}
# What could not be checked, rather than was refused: exit code 2.
COULD_NOT_CHECK = {"tdx.collateral.missing"}
TDX_JUDGED = {"quote_sig_valid", "qe_report_data_binds_att_key", "qe_report_sig_valid", "pck_chain_valid_to_root",
              "static_valid", "tcb", "parse_error"}


@pytest.mark.parametrize("group, row", rows("tdx"))
def test_tdx_quotes(group, row):
    path = file(group, row, "quote")
    has_collateral = "collateral" in row["files"]
    now = row["args"]["now"] if has_collateral else "2026-03-17T10:00:00Z"
    options = ("--collateral", file(group, row, "collateral")) if has_collateral else ()
    status, codes, report = verify(path, *options, "--accept-any-measurement", now=now)
    if row["id"].startswith("sgx-"):
        assert status != 0
        return
    if not has_collateral and row["id"] not in TDX_CODES:
        # Nothing is at hand to judge it with, and there is no network.
        assert status == 2, report
        return
    expected = TDX_CODES.get(row["id"], TDX_SIGNATURE if row["expect"] == "invalid" else set())
    if not has_collateral and "error" in report:
        assert status == 2 and row["expect"] == "invalid"
        return
    assert codes == expected, report
    assert status == (0 if not expected else 2 if expected <= COULD_NOT_CHECK else 1), report
    expected_tcb = row["expected"].get("tcb", {})
    if expected_tcb.get("merged_tcb_status") and not expected - {"tdx.tcb.status"}:
        text = json.dumps(report["lines"] + report["findings"])
        assert expected_tcb["merged_tcb_status"] in text
        for advisory in expected_tcb["advisory_ids"]:
            assert advisory in text


@pytest.mark.parametrize("group, row", rows("tdx"))
def test_tdx_facts(group, row):
    status, answer = inspect(file(group, row, "quote"))
    if row["expected"].get("parse_error"):
        assert status == 2 and answer["type"] == "error"
        return
    assert status == (2 if row["expected"].get("pck_chain_parse_error") else 0)
    compare(facts.quote(answer["fields"]), row["expected"], TDX_JUDGED)
    known = row["expected"].get("tcb", {}).get("collateral")
    if known:
        decoded = facts.collateral(fields(file(group, row, "collateral"), "Intel collateral"))
        compare(decoded, known, set(known) - set(decoded))


@pytest.mark.parametrize("group, row", rows("intel-collateral", check="collateral"))
def test_collateral_facts(group, row):
    status, answer = inspect(file(group, row, "collateral"))
    if row["expected"].get("parse_error"):
        assert status == 2
        return
    decoded = facts.collateral(answer["fields"])
    assert len(decoded) == 12
    compare(decoded, row["expected"], set(row["expected"]) - set(decoded))


@pytest.mark.parametrize("group, row", rows("intel-collateral", "amd-roots", check="cert"))
def test_certificate_facts(group, row):
    found = fields(file(group, row, "cert"), "X.509 certificate")
    expected = row["expected"]
    assert found["SHA-256"] == expected["der_sha256"]
    assert found["subjectPublicKeyInfo"]["SHA-256"] == expected["spki_sha256"]
    assert (found["subject"], found["issuer"]) == (expected["subject"], expected["issuer"])
    assert int(found["serialNumber"], 16) == int(expected["serial"], 16)
    assert facts.time(found["notBefore"]) == expected["not_before"]
    assert facts.time(found["notAfter"]) == expected["not_after"]
    assert found["subjectPublicKeyInfo"]["algorithm"] == {"secp256r1": "EC P-256", "RSA-4096": "RSA 4096"}[
        expected["key"]]


# ---- Azure

# The default policy wants collateral for Azure's TDX too; the one live set goes with this one.
AZURE_TDX_COLLATERAL = "intel-collateral/90c06f000000-202603.json"
AZURE_CODES = {
    "neg-az-snp-report-data": {"azure.runtime-data", "snp.signature"}, "neg-az-snp-measurement": {"snp.signature"},
    "neg-az-snp-vardata-ak": {"azure.runtime-data", "tpm.quote.signature"},
    "neg-az-snp-vardata-len": {"evidence.malformed"}, "neg-az-snp-extradata": {"tpm.quote.signature"},
    "neg-az-snp-tpm-sig": {"tpm.quote.signature"}, "neg-az-snp-pcr-value": {"tpm.quote.digest"},
    "neg-az-snp-pcr-order": {"tpm.quote.digest"}, "neg-az-snp-quote-of-other-vm": {"tpm.quote.signature"},
    "neg-az-snp-hcl-of-other-vm": {"snp.certificate.chip-id", "snp.signature", "tpm.quote.signature"},
    "neg-az-snp-vcek-other-chip": {"snp.certificate.chip-id", "snp.signature"},
    "neg-az-snp-nonce": {"binding.freshness"}, "neg-az-snp-truncated-hcl": {"evidence.malformed"},
    "neg-az-tdx-quote-report-data": {"azure.runtime-data", "azure.td-report", "tdx.quote.signature"},
    "neg-az-tdx-vardata-ak": {"azure.runtime-data", "tpm.quote.signature"},
    "neg-az-tdx-tpm-sig": {"tpm.quote.signature"}, "neg-az-tdx-pcr-value": {"tpm.quote.digest"},
    "neg-az-tdx-no-td-quote": {"azure.td-quote.missing"},
}
AZURE_JUDGED = {*SNP_JUDGED, *TDX_JUDGED, "hw_valid", "tpm_signature_valid", "pcr_digest_match", "nonce_match",
                "platform_tag"}


def azure_options(group, row):
    options = ("--accept-any-measurement",)
    if group == "azure-tdx":
        options += ("--collateral", VECTORS / AZURE_TDX_COLLATERAL)
    nonce = (row.get("args") or {}).get("expected_nonce")
    return options + (("--nonce", nonce) if nonce else ())


@pytest.mark.parametrize("group, row", rows("azure-snp", "azure-tdx", check="azure"))
def test_azure_evidence(group, row):
    now = "2026-03-31T12:00:00Z" if group == "azure-tdx" else "2026-03-17T10:00:00Z"
    status, codes, report = verify(file(group, row, "evidence"), *azure_options(group, row), now=now)
    expected = AZURE_CODES[row["id"]] if row["expect"] == "invalid" else set()
    assert (status, codes) == (1 if expected else 0, expected), report


@pytest.mark.parametrize("group, row", rows("azure-snp", "azure-tdx", check="azure"))
def test_azure_facts(group, row):
    status, answer = inspect(file(group, row, "evidence"))
    if row["expected"].get("parse_error"):
        assert status == 2
        return
    if status == 2:
        assert row["expect"] == "invalid"
        return
    said = answer["fields"]
    # Azure writes these bytes in either case; inspect shows bytes in one.
    if row["expected"].get("hcl", {}).get("user_data"):
        row["expected"]["hcl"]["user_data"] = row["expected"]["hcl"]["user_data"].lower()
    compare(facts.azure(said.get("evidence", said)), row["expected"], AZURE_JUDGED)
    if "platform_tag" in row["expected"]:
        assert row["expected"]["platform_tag"] == said.get("platform")


@pytest.mark.parametrize("group, row", rows("azure-snp", "azure-tdx", check="hcl"))
def test_hcl_facts(group, row):
    path = file(group, row, "hcl")
    compare(facts.hardware(fields(path, "HCL report"), path.stat().st_size), row["expected"], AZURE_JUDGED)
    done = cupel("verify", "--evidence", path)
    assert done.returncode == 2 and "proves nothing alone" in done.stderr


# ---- TPM

TPM_CODES = {
    "gce-nononce-sha1": {"tpm.quote.bank"}, "neg-extradata": {"tpm.quote.signature"},
    "neg-clock": {"tpm.quote.signature"}, "neg-pcrdigest": {"tpm.quote.digest", "tpm.quote.signature"},
    "neg-sig-rsa": {"tpm.quote.signature"}, "neg-wrong-key": {"tpm.quote.signature"},
    "neg-key-type": {"tpm.quote.signature"}, "neg-pcr-value": {"tpm.quote.digest"},
    "neg-nonce": {"binding.freshness"}, "neg-trailing": {"evidence.malformed"},
    "neg-truncated": {"evidence.malformed"}, "neg-magic-signed": {"tpm.quote.magic"},
    "neg-type-certify-signed": {"tpm.quote.bank", "tpm.quote.type"},
}
TPM_JUDGED = {"signature_valid", "pcr_digest_match", "overall_valid", "nonce_match", "parse_error"}


def sized(content):
    return len(content).to_bytes(2, "big") + content


def elements(der):
    """The (tag, content) pairs of DER, one level."""
    found, offset = [], 0
    while offset < len(der):
        tag, length, offset = der[offset], der[offset + 1], offset + 2
        if length & 0x80:
            size = length & 0x7F
            length, offset = int.from_bytes(der[offset:offset + size], "big"), offset + size
        found.append((tag, der[offset:offset + length]))
        offset += length
    return found


def tpm_public(pem, scheme):
    """A TPMT_PUBLIC of a restricted signing key with this public key; the scheme as the signature begins."""
    info = base64.b64decode("".join(line for line in pem.split("\n") if "-----" not in line))
    algorithm, key = elements(elements(info)[0][1])
    identifier, bits = elements(algorithm[1])[0][1], key[1][1:]
    head = (0x000B).to_bytes(2, "big") + (0x00050072).to_bytes(4, "big") + sized(b"") + b"\x00\x10"
    if identifier == bytes.fromhex("2a864886f70d010101"):
        modulus = elements(elements(bits)[0][1])[0][1].lstrip(b"\0")
        return b"\x00\x01" + head + scheme + (len(modulus) * 8).to_bytes(2, "big") + bytes(4) + sized(modulus)
    half = (len(bits) - 1) // 2
    curve = {32: b"\x00\x03", 48: b"\x00\x04"}[half]
    return b"\x00\x23" + head + scheme + curve + b"\x00\x10" + sized(bits[1:1 + half]) + sized(bits[1 + half:])


def tpm_evidence(group, row, folder):
    """The evidence of a row, and a policy that knows its key: no certificate says that it is of a TPM."""
    signature = file(group, row, "sig").read_bytes()
    if row["args"]["sig_format"] == "raw-rsassa-sha256":
        signature = b"\x00\x14\x00\x0b" + sized(signature)
    values = json.loads(file(group, row, "pcrs").read_text())
    quote = {"message": file(group, row, "msg").read_bytes().hex(), "signature": signature.hex(),
             "pcrs": {bank.lower(): registers for bank, registers in values.items()}}
    key = tpm_public(file(group, row, "key").read_text(), signature[:4])
    evidence = {"version": 1, "tpm_quote": quote, "ak_public": base64.b64encode(key).decode()}
    (folder / "evidence.json").write_text(json.dumps({"platform": "vtpm", "evidence": evidence}))
    name = "000b" + hashlib.sha256(key).hexdigest()
    (folder / "policy.yaml").write_text(f'version: 1\ntpm:\n  attestationKeyNames: ["{name}"]\n')
    return folder / "evidence.json", folder / "policy.yaml"


@pytest.mark.parametrize("group, row", rows("tpm"))
def test_tpm_quotes(group, row, folder):
    if "sig" not in row["files"]:
        pytest.skip("a message without a signature proves nothing")
    evidence, policy = tpm_evidence(group, row, folder)
    nonce = row["args"].get("expected_nonce", row["expected"].get("extra_data"))
    options = ("--accept-any-measurement", *(("--nonce", nonce) if nonce else ()))
    now = "2026-03-17T10:00:00Z"
    expected = TPM_CODES.get(row["id"], set())
    status, codes, report = verify(evidence, *options, "--policy", policy, now=now)
    assert (status, codes) == (1 if expected else 0, expected), report
    # A key that nobody vouches for is worth nothing.
    status, codes, report = verify(evidence, *options, now=now)
    assert status != 0 and (expected or codes <= {"tpm.no-authority", "tpm.key.unknown", "tpm.key.unbound"}), report


@pytest.mark.parametrize("group, row", rows("tpm"))
def test_tpm_facts(group, row):
    message = file(group, row, "msg")
    status, answer = inspect(message)
    if row["id"] in ("neg-truncated", "neg-trailing"):
        assert status == 2 and answer["type"] == "error"
        return
    found = facts.attest(answer["fields"], message.stat().st_size)
    if "sig" in row["files"]:
        if row["args"]["sig_format"] == "tpmt":
            found.update(facts.signature(fields(file(group, row, "sig"), "TPMT_SIGNATURE")))
        else:
            assert inspect(file(group, row, "sig"))[0] == 2
            found.update(sig_alg="RSASSA", sig_hash="SHA256", sig_trailing=0)
    compare(found, row["expected"], TPM_JUDGED | ({"trailing_len"} if not found["is_quote"] else set()))


def test_a_measured_machine():
    folder = VECTORS / "measured-vm/tpm"
    expected = json.loads((folder / "expected.json").read_text())
    log = fields(folder / "eventlog.bin", "TCG event log")
    replayed = log["replayed registers"]["SHA256"]
    assert len(replayed) > 8 and all(expected["observed_pcrs"][number] == value for number, value in replayed.items())
    names = {event["type name"] for event in log["events"]}
    assert {"EV_SEPARATOR", "EV_EFI_ACTION", "EV_EFI_VARIABLE_DRIVER_CONFIG"} <= names
    for kind in ("rsa", "ecc"):
        message = fields(folder / f"{kind}.attest", "TPMS_ATTEST")
        assert message["extraData"]["value"] == expected["nonce"]
        key = fields(folder / f"{kind}.ak.tpm2b_public", "TPM2B_PUBLIC")
        assert key["name"] == (folder / f"{kind}.ak.name").read_bytes().hex()
        assert key["objectAttributes"]["restricted"] and key["objectAttributes"]["fixedTPM"]
        assert fields(folder / f"{kind}.tpmt_signature", "TPMT_SIGNATURE")["hash"] == "SHA256"
        selected = message["attested"]["pcrSelect"][0]["pcrSelect"]
        values = b"".join(bytes.fromhex(expected["observed_pcrs"][str(number)]) for number in selected)
        assert message["attested"]["pcrDigest"] == hashlib.sha256(values).hexdigest()
    assert fields(folder / "ek-rsa2048.crt.der", "X.509 certificate")["subjectPublicKeyInfo"]["algorithm"] == "RSA 2048"


# ---- An independent checker

CHECKER = """
import importlib.util, json, os, sys
spec = importlib.util.spec_from_file_location("ground_truth", sys.argv[1] + "/tools/ground_truth.py")
checker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(checker)
environment = checker.Env(sys.argv[1])
facts = {}
for group in sys.argv[2:]:
    folder = os.path.join(sys.argv[1], group)
    for row in json.load(open(folder + "/INDEX.json"))["vectors"]:
        facts[group + "/" + row["id"]] = checker.compute(row, folder, environment)
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def independent():
    """The facts that `ground_truth.py` computes from the files alone; it shares no code with Cupel."""
    for python in (sys.executable, shutil.which("python3")):
        if not python or subprocess.run(
                [python, "-c", "from cryptography import x509; x509.Certificate.not_valid_before_utc"],
                capture_output=True).returncode:
            continue
        done = subprocess.run([python, "-c", CHECKER, VECTORS, "snp", "tdx", "azure-snp", "azure-tdx"],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    pytest.skip("no python with cryptography 42 or newer, which the independent checker needs")


def sound(found):
    """Whether the independent checker calls a vector genuine; it knows no policy."""
    if found.get("parse_error"):
        return False
    if "tcb" in found:
        return found["tcb"]["appraisal_ok"]
    return found.get("overall_valid", found.get("static_valid"))


# What the default policy refuses of what is genuine; see docs/policy.md.
POLICY = {"snp.policy.debug", "tdx.service-td", "tdx.tcb.status", "tdx.attributes.debug",
          "tdx.attributes.sept-ve-disable", "tdx.no-trust-domain"}


@pytest.mark.parametrize("group, row", rows("snp", "tdx", "azure-snp", "azure-tdx"))
def test_an_independent_checker_agrees(group, row, independent, folder):
    if group == "snp":
        path, options = snp_evidence(group, row, folder)
        now = day_of(file(group, row, "vek"))
    elif group == "tdx":
        if "collateral" not in row["files"]:
            pytest.skip("the checker judges no TCB without collateral")
        path, options, now = file(group, row, "quote"), ("--collateral", file(group, row, "collateral")), row["args"]["now"]
    elif row["check"] == "azure":
        path, options = file(group, row, "evidence"), azure_options(group, row)
        now = "2026-03-31T12:00:00Z" if group == "azure-tdx" else "2026-03-17T10:00:00Z"
    else:
        pytest.skip("a part of evidence")
    status, codes, report = verify(path, "--accept-any-measurement", *options, now=now)
    if sound(independent[f"{group}/{row['id']}"]):
        assert codes <= POLICY, report
        assert status == 0 or codes
    else:
        assert status != 0, "Cupel accepts what the independent checker refuses"
