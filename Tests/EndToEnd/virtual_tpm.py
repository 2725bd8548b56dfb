# SPDX-License-Identifier: Apache-2.0
"""A TPM in software with certificates of a CA of its own, made by swtpm, tpm2-tools and openssl alone: what a measured
machine's TPM is, by other hands than ours."""
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess

from conftest import cupel

TOOLS = ["swtpm", "openssl", "tpm2_checkquote", "tpm2_createek", "tpm2_createprimary", "tpm2_evictcontrol",
         "tpm2_nvdefine", "tpm2_nvwrite", "tpm2_pcrextend", "tpm2_readpublic"]
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]
ATTESTATION, ENDORSEMENT = "2.23.133.8.3", "2.23.133.8.1"
RESTRICTED = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda"


class Authority:
    def __init__(self, folder, name="operator's CA", days=30):
        self.folder, self.certificate = folder, folder / "ca.pem"
        folder.mkdir()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                     "ca.key", "-out", "ca.pem", "-subj", f"/CN={name}", "-days", str(days), "-addext",
                     "keyUsage=critical,keyCertSign")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def certify(self, key, purpose, usage, endorsement=None):
        """A certificate, DER, of a public key, PEM."""
        extensions = f"[x]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,{usage}\n"
        extensions += f"extendedKeyUsage={purpose}\n" if purpose else ""
        if endorsement:
            extensions += ("subjectAltName=otherName:1.3.6.1.5.5.7.8.3;SEQ:ek\n[ek]\n"
                           f"value=UTF8:{hashlib.sha256(endorsement).hexdigest()}\nassigner=OID:2.23.133.12.1\n")
        (self.folder / "x.cnf").write_text(extensions)
        (self.folder / "x.pem").write_bytes(key)
        self.openssl("x509", "-new", "-force_pubkey", "x.pem", "-subj", "/CN=key", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-set_serial", str(int.from_bytes(os.urandom(8)) >> 1), "-days", "2", "-extfile", "x.cnf",
                     "-extensions", "x", "-outform", "der", "-out", "x.der")
        return (self.folder / "x.der").read_bytes()


class Machine:
    """A TPM that has measured `events`, each a register and bytes."""
    def __init__(self, folder, authority, attributes=RESTRICTED, purpose=ATTESTATION, events=()):
        self.folder, self.events = folder, list(events)
        (folder / "state").mkdir(parents=True)
        # The command ends when its daemon answers.
        subprocess.run(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}/state", "--server", f"type=unixio,path={folder}/s",
             "--ctrl", f"type=unixio,path={folder}/s.ctrl", "--flags", "not-need-init,startup-clear", "--daemon",
             "--pid", f"file={folder}/pid"], check=True, capture_output=True)
        self.tcti = f"swtpm:path={folder}/s"
        self.tpm("createek", "-c", "0x81010001", "-G", "rsa", "-u", "ek.pem", "-f", "pem")
        self.endorsement = authority.certify((folder / "ek.pem").read_bytes(), ENDORSEMENT, "keyEncipherment")
        self.store("0x01c00002", self.endorsement)
        self.tpm("createprimary", "-C", "e", "-G", "ecc256:ecdsa-sha256:null", "-c", "ak.ctx", "-a", attributes)
        self.tpm("evictcontrol", "-C", "o", "-c", "ak.ctx", "0x81000003")
        self.tpm("readpublic", "-c", "0x81000003", "-f", "pem", "-o", "ak.pem")
        self.certificate = authority.certify(
            (folder / "ak.pem").read_bytes(), purpose, "digitalSignature", self.endorsement)
        self.store("0x01c101d0", self.certificate)
        for register, content in self.events:
            self.tpm("pcrextend", f"{register}:sha256={hashlib.sha256(content).hexdigest()}")

    def tpm(self, command, *arguments):
        subprocess.run(["tpm2_" + command, *arguments], cwd=self.folder, check=True, capture_output=True,
                       env={**os.environ, "TPM2TOOLS_TCTI": self.tcti, "TSS2_LOG": "all+none"})

    def store(self, index, content):
        (self.folder / "nv").write_bytes(content)
        self.tpm("nvdefine", index, "-C", "o", "-s", str(len(content)), "-a", "ownerread|ownerwrite|authread")
        self.tpm("nvwrite", index, "-C", "o", "-i", "nv")

    def attest(self, data):
        done = cupel("attest", "--report-data", data.hex(), "--platform", "vtpm", "--tcti", self.tcti, check=0)
        return json.loads(done.stdout)

    def end(self):
        os.kill(int((self.folder / "pid").read_text()), signal.SIGTERM)


def event_log(events, bank=0x000B, digest=hashlib.sha256):
    """TCG PC Client Platform Firmware Profile, section 10: crypto-agile, of one bank."""
    header = b"Spec ID Event03\0" + bytes([0, 0, 0, 0, 0, 2, 0, 2])
    header += struct.pack("<IHHB", 1, bank, digest().digest_size, 0)
    log = struct.pack("<II20xI", 0, 3, len(header)) + header
    for register, content in events:
        log += struct.pack("<IIIH", register, 0x0D, 1, bank) + digest(content).digest()
        log += struct.pack("<I", len(content)) + content
    return log
