# SPDX-License-Identifier: Apache-2.0
"""`cupel collateral` against a server that stands for AMD's and Intel's services and replays real answers."""
import base64
import contextlib
import http.server
import json
import re
import threading
import urllib.parse

import pytest

from conftest import SHARED, cupel

VECTORS = SHARED / "vectors"
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the published vectors are not here")

QUOTE = "tdx/tdx-v4-dstack-report.bin"
COLLATERAL = "intel-collateral/90c06f000000-202603.json"
REPORT, CERTIFICATE = "snp/milan-v3-microsoft.report.bin", "snp/milan-v3-microsoft.vek.der"


class Vendors:
    """Answers by path; counts what it was asked."""

    def __init__(self, faults=()):
        intel = json.loads((VECTORS / COLLATERAL).read_text())
        chain = {"TCB-Info-Issuer-Chain": intel["tcb_info_issuer_chain"],
                 "SGX-Enclave-Identity-Issuer-Chain": intel["qe_identity_issuer_chain"],
                 "SGX-PCK-CRL-Issuer-Chain": intel["pck_crl_issuer_chain"]}
        self.headers = {name: urllib.parse.quote(value) for name, value in chain.items()}
        self.bodies = {
            "/tdx/certification/v4/tcb": b'{"tcbInfo":%s,"signature":"%s"}' % (
                intel["tcb_info"].encode(), intel["tcb_info_signature"].encode()),
            "/tdx/certification/v4/qe/identity": b'{"enclaveIdentity":%s,"signature":"%s"}' % (
                intel["qe_identity"].encode(), intel["qe_identity_signature"].encode()),
            "/sgx/certification/v4/pckcrl": bytes.fromhex(intel["pck_crl"]),
            "/sgx/certification/v4/rootcacrl": intel["root_ca_crl"].encode(),
        }
        self.certificate = (VECTORS / CERTIFICATE).read_bytes()
        self.faults = list(faults)
        self.asked = []

    def answer(self, target):
        self.asked.append(target)
        if self.faults:
            return self.faults.pop(0), b"later"
        path = target.split("?")[0]
        if re.fullmatch(r"/vcek/v1/Milan/[0-9a-f]{128}", path):
            return 200, self.certificate
        return (200, self.bodies[path]) if path in self.bodies else (404, b"")


@contextlib.contextmanager
def serving(vendors):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = vendors.answer(self.path)
            self.send_response(status)
            for name, value in vendors.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield ["--amd-kds", address, "--intel-pcs", address]
    finally:
        server.shutdown()
        server.server_close()


def envelope(folder, platform, **fields):
    path = folder / "evidence.json"
    path.write_text(json.dumps({"platform": platform, "evidence": fields}))
    return path


def encoded(name):
    return base64.b64encode((VECTORS / name).read_bytes()).decode()


def fetch(*arguments):
    return cupel("collateral", "fetch", *arguments)


def test_a_quotes_collateral_is_fetched_as_intel_signed_it(folder):
    evidence = envelope(folder, "tdx", quote=encoded(QUOTE))
    vendors = Vendors()
    with serving(vendors) as mirrors:
        done = fetch(evidence, "--output", folder / "out", "--collateral-cache", folder / "cache", *mirrors)
    # The answers have expired by now, which is appraisal's to judge: they are fetched, and shown for what they are.
    assert done.returncode == 0, done.stderr
    assert len(vendors.asked) == 4
    written, = (folder / "out").glob("intel-*.json")
    ours, theirs = json.loads(written.read_text()), json.loads((VECTORS / COLLATERAL).read_text())
    assert ours == {name: theirs[name] for name in ours} and len(ours) == 9
    shown = json.loads(cupel("collateral", "show", folder / "out", "--json").stdout)
    assert shown["collateral"][0]["notAfter"].startswith("2026-")


def test_a_chips_certificate_is_fetched_into_the_bundle_and_kept(folder):
    bundle = folder / "bundle"
    bundle.mkdir()
    envelope(bundle, "snp", attestation_report=encoded(REPORT))
    vendors = Vendors()
    with serving(vendors) as mirrors:
        options = ["--collateral-cache", folder / "cache", *mirrors]
        done = fetch(bundle, *options)
        assert done.returncode == 0, done.stderr
        assert "revocation list" in done.stderr, "what is not there is a warning"
        certificate, = (bundle / "collateral").iterdir()
        assert certificate.read_bytes() == (VECTORS / CERTIFICATE).read_bytes()
        asked = [target for target in vendors.asked if "SPL" in target]
        assert len(asked) == 1 and re.search(r"\?blSPL=\d\d+&teeSPL=\d\d+&snpSPL=\d\d+&ucodeSPL=\d\d+$", asked[0])
        assert fetch(bundle, *options).returncode == 0
        assert len([target for target in vendors.asked if "SPL" in target]) == 1
    assert fetch(bundle, *options, "--offline").returncode == 0


def test_bare_evidence_will_do(folder):
    with serving(Vendors()) as mirrors:
        options = ["--output", folder / "out", "--collateral-cache", folder / "cache", *mirrors]
        assert fetch(VECTORS / QUOTE, *options).returncode == 0
        assert fetch(VECTORS / REPORT, *options).returncode == 0
    # What was fetched is enough to verify with: the image is unknown, the rest holds.
    done = cupel("verify", "--evidence", VECTORS / REPORT, "--collateral", folder / "out", "--offline",
                 "--at", "2026-06-01T00:00:00Z")
    assert done.returncode == 1 and "genuine hardware, unknown image" in done.stdout, done.stdout + done.stderr


def test_verify_fetches_what_it_cannot_do_without_and_no_more(folder):
    vendors = Vendors()
    with serving(vendors) as mirrors:
        done = cupel("verify", "--evidence", VECTORS / REPORT, "--accept-any-measurement", "--collateral-cache",
                     folder / "cache", "--at", "2026-06-01T00:00:00Z", *mirrors)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(vendors.asked) == 1, vendors.asked


def test_without_network_the_error_names_what_and_where(folder):
    evidence = envelope(folder, "tdx", quote=encoded(QUOTE))
    done = fetch(evidence, "--output", folder / "out", "--collateral-cache", folder / "cache", "--offline")
    assert done.returncode == 2
    assert "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=90c06f000000" in done.stderr
    assert "cupel: hint:" in done.stderr
    assert not (folder / "out").exists()


def test_a_busy_service_is_asked_again(folder):
    evidence = envelope(folder, "snp", attestation_report=encoded(REPORT))
    vendors = Vendors(faults=[503])
    with serving(vendors) as mirrors:
        done = fetch(evidence, "--output", folder / "out", "--collateral-cache", folder / "cache", *mirrors)
    assert done.returncode == 0, done.stderr
    assert "trying again" in done.stderr


def test_a_full_disk_does_not_matter_for_the_cache(folder):
    evidence = envelope(folder, "snp", attestation_report=encoded(REPORT))
    with serving(Vendors()) as mirrors:
        done = fetch(evidence, "--output", folder / "out", "--collateral-cache", "/dev/full/cache", *mirrors)
    assert done.returncode == 0, done.stderr
    assert "not kept" in done.stderr


def test_software_needs_nothing(folder):
    done = fetch(envelope(folder, "software"), "--output", folder / "out", "--offline")
    assert done.returncode == 1
    assert "software" in done.stderr


def test_what_is_no_collateral_is_refused(folder):
    (folder / "note.txt").write_text("hello")
    done = cupel("collateral", "show", folder)
    assert done.returncode == 2
    assert "note.txt" in done.stderr and "expected" in done.stderr


def test_wrong_usage(folder):
    evidence = envelope(folder, "software")
    assert fetch(evidence).returncode == 2
    assert fetch(folder / "nothing", "--output", folder / "out").returncode == 2
    assert fetch(evidence, "--output", folder / "out", "--amd-kds", "kds.test").returncode == 2
