# SPDX-License-Identifier: Apache-2.0
"""What `cupel attest` prints, and who vouches for a builder. A TPM in software, swtpm, is the hardware here."""
import base64
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess

import pytest

from conftest import cupel, project, tarball

HARDWARE = [path for path in ("/dev/sev-guest", "/dev/tdx_guest", "/dev/tpmrm0") if os.path.exists(path)]
bare = pytest.mark.skipif(bool(HARDWARE), reason=f"this machine has {HARDWARE}")
TOOLS = ["swtpm", "tpm2_checkquote", "tpm2_readpublic"]
with_tpm = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="swtpm and tpm2-tools are not installed")


@pytest.fixture
def tpm(folder):
    """The address of a TPM in software, as its users spell it."""
    (folder / "state").mkdir()
    # The command ends when its daemon answers.
    subprocess.run(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}/state", "--server", f"type=unixio,path={folder}/s",
         "--ctrl", f"type=unixio,path={folder}/s.ctrl", "--flags", "not-need-init,startup-clear", "--daemon",
         "--pid", f"file={folder}/pid"], check=True, capture_output=True)
    yield f"swtpm:path={folder}/s"
    os.kill(int((folder / "pid").read_text()), signal.SIGTERM)


def test_a_key_vouches_where_it_is_asked_by_name(folder):
    done = cupel("attest", "--report-data", "00ff", "--platform", "software", "--output", folder / "evidence.json",
                 check=0)
    assert done.stdout == "" and "asking a key" in done.stderr
    text = (folder / "evidence.json").read_text()
    evidence = json.loads(text)
    assert text == json.dumps(evidence, sort_keys=True, separators=(",", ":")), "canonical, as in a bundle"
    assert evidence["platform"] == "software"
    assert base64.b64decode(evidence["evidence"]["report_data"]) == b"\x00\xff" + bytes(62)


@with_tpm
def test_a_tpm_signs_the_bytes_as_they_are(tpm, folder):
    done = cupel("attest", "--report-data", "aabb00", "--tcti", tpm, check=0)
    assert f"asking the TPM at {tpm}" in done.stderr
    envelope = json.loads(done.stdout)
    assert envelope["platform"] == "vtpm"
    quote = envelope["evidence"]["tpm_quote"]
    message = bytes.fromhex(quote["message"])
    # TPM 2.0 Library part 2, TPMS_ATTEST: magic, type, the signer's name, the caller's bytes.
    assert message[:6].hex() == "ff5443478018"
    (name,) = struct.unpack_from(">H", message, 6)
    assert message[8 + name:].startswith(b"\x00\x03\xaa\xbb\x00")
    values = sorted(quote["pcrs"]["sha256"].items(), key=lambda item: int(item[0]))
    digest = hashlib.sha256(b"".join(bytes.fromhex(value) for _, value in values)).digest()
    assert message.endswith(b"\x00\x20" + digest)
    # The second opinion.
    key = base64.b64decode(envelope["evidence"]["ak_public"])
    (folder / "key").write_bytes(struct.pack(">H", len(key)) + key)
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(bytes.fromhex(quote["signature"]))
    check = ["tpm2_checkquote", "-u", "key", "-m", "message", "-s", "signature", "-g", "sha256", "-q"]
    assert subprocess.run([*check, "aabb00"], cwd=folder, capture_output=True).returncode == 0
    assert subprocess.run([*check, "aabb"], cwd=folder, capture_output=True).returncode != 0


@bare
@pytest.mark.parametrize("platform", ["auto", "snp", "tdx", "az-snp", "az-tdx", "vtpm"])
def test_where_there_is_no_hardware_it_is_said(platform):
    done = cupel("attest", "--report-data", "00", "--platform", platform, check=2)
    assert done.stdout == ""
    assert done.stderr.startswith("cupel: error: no ") and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("options", [
    ["--report-data", ""], ["--report-data", "0"], ["--report-data", "zz"], ["--report-data", "00" * 65], [],
    ["--report-data", "00", "--platform", "sgx"],
    ["--report-data", "00", "--platform", "vtpm", "--tcti", "swtpm:path=/nonexistent"],
    ["--report-data", "00", "--platform", "software", "--output", "/nonexistent/evidence.json"],
], ids=lambda options: " ".join(options)[:40] or "nothing")
def test_what_cannot_be_is_refused(options):
    done = cupel("attest", *options, check=2)
    assert done.stdout == "" and "cupel: error:" in done.stderr


@bare
def test_a_builder_without_the_hardware_that_it_shall_have_does_not_start(folder):
    done = cupel("serve", "--attester", "snp", "--port", "0", "--data", folder / "data", check=2)
    assert "no 'snp' hardware vouches for this machine" in done.stderr
    done = cupel("serve", "--attester", "sgx", "--port", "0", "--data", folder / "data", check=2)
    assert "attester on the command line must be one of auto, snp" in done.stderr


@bare
def test_without_hardware_a_key_is_chosen_and_the_log_says_so(new_server):
    server = new_server("--attester", "auto")
    assert "attester.platform=software" in server.log_text() and "no confidential machine" in server.log_text()
    _, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}


def test_a_server_decides_who_vouches():
    done = cupel("build", ".", "--server", "http://127.0.0.1:1", "--attester", "software", check=2)
    assert "are the server's to decide" in done.stderr
