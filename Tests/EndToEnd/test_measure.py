# SPDX-License-Identifier: Apache-2.0
"""`cupel image measure`, beside sev-snp-measure and beside the formulas once more; and `cupel verify --images`."""
import hashlib
import itertools
import json
import pathlib
import struct
import subprocess
import zlib

import pytest

import efi_programs
from conftest import SHARED, cupel, sha256
from guest_firmware import PAGE, SNP_SECTIONS, firmware

VECTORS = SHARED / "vectors"
OVMF = pathlib.Path("/usr/share/ovmf/OVMF.fd")

# One process for all: the file has one configuration a line.
PEER = """
import json, sys
from sevsnpmeasure import guest, vcpu_types, vmm_types
from sevsnpmeasure.sev_mode import SevMode

def measure(firmware, kernel, initrd, append, model, count, features, hypervisor):
    return guest.calc_launch_digest(SevMode.SEV_SNP, count, vcpu_types.CPU_SIGS[model], firmware, kernel, initrd, append,
                                    features, "", vmm_types.VMMType["QEMU" if hypervisor == "qemu" else hypervisor]).hex()

print(json.dumps({"models": list(vcpu_types.CPU_SIGS), "digests": [measure(*line) for line in json.load(open(sys.argv[1]))]}))
"""
# One of each signature.
MODELS = ["EPYC-v4", "EPYC-Rome", "EPYC-Milan", "EPYC-Genoa", "EPYC-Turin"]
ALL_MODELS = ["EPYC", "EPYC-v1", "EPYC-v2", "EPYC-IBPB", "EPYC-v3", "EPYC-v4", "EPYC-Rome", "EPYC-Rome-v1", "EPYC-Rome-v2",
              "EPYC-Rome-v3", "EPYC-Milan", "EPYC-Milan-v1", "EPYC-Milan-v2", "EPYC-Genoa", "EPYC-Genoa-v1", "EPYC-Turin"]
TDX_SECTIONS = [(0x4000, 0xC000, 0xFFFF4000, 0xC000, 0, 1), (0, 0x4000, 0xFFFF0000, 0x4000, 1, 0),
                (0, 0, 0x810000, 0x2000, 3, 0), (0, 0, 0x809000, 0x2000, 2, 0), (0, 0, 0x1000000, 0x10000, 4, 2)]
COMMAND_LINE = "console=ttyS0 quiet cupel.roothash={root} cupel.hashoffset=4096"


def measure(*arguments):
    """The images of the list that is printed."""
    found = json.loads(cupel("image", "measure", *arguments, "--json", check=0).stdout)
    assert sorted(found) == ["images", "version"] and found["version"] == 1
    return found["images"]


def digests(*arguments):
    return [image["registers"]["MEASUREMENT"] for image in measure("--platform", "snp", *arguments)]


def compare(independent_python, folder, calls):
    """Runs each call of ours, and the peer on every configuration that they are of."""
    lines, ours = [], []
    for arguments, configurations in calls:
        found = digests(*arguments)
        assert len(found) == len(configurations), arguments
        ours += found
        lines += configurations
    (folder / "lines.json").write_text(json.dumps(lines, default=str))
    peer = independent_python(PEER, folder / "lines.json")
    assert peer["models"] == ALL_MODELS
    for line, mine, theirs in zip(lines, ours, peer["digests"], strict=True):
        assert mine == theirs, line
    return len(lines)


@pytest.fixture
def parts(folder):
    """name -> path: firmware, kernels and initrds."""
    made = {"usual": firmware(), "longer": firmware(40, seed=3, reset=0x80B0F4, table=0x810000),
            "other-order": firmware(sections=SNP_SECTIONS[::-1], table=0x810F50, seed=9),
            "kernel": efi_programs.kernel(), "uki": b"MZ" + bytes(range(256)) * 40, "initrd": b"initrd\n" * 1000,
            "empty": b""}
    for name, body in made.items():
        (folder / name).write_bytes(body)
    return {name: folder / name for name in made}


def test_launch_digests_are_those_of_sev_snp_measure(independent_python, folder, parts):
    """480 configurations with kernels, and others of each model, hypervisor and feature."""
    calls = []
    for place, kernel, initrd, append in itertools.product(
            ("usual", "longer", "other-order"), ("kernel", "uki"), ("initrd", None), ("console=ttyS0 quiet", "ä=\"b c\"")):
        given = [parts[place], parts[kernel], initrd and parts[initrd], append]
        options = ["--firmware", given[0], "--kernel", given[1], *(["--initrd", given[2]] if initrd else []), "--append", append]
        options += [word for model in MODELS for word in ("--vcpu-model", model)] + ["--vcpus", "1,2,3,64"]
        calls.append((options, [[*given, model, count, 1, "qemu"] for model in MODELS for count in (1, 2, 3, 64)]))
    for model in ALL_MODELS:
        given = [parts["usual"], parts["kernel"], parts["empty"], ""]
        options = ["--firmware", given[0], "--kernel", given[1], "--initrd", given[2], "--vcpu-model", model, "--vcpus", 2]
        calls.append((options, [[*given, model, 2, 1, "qemu"]]))
    plain = [parts["usual"], None, None, None]
    for hypervisor in ("qemu", "ec2", "gce"):
        for features in (0x1, 0x21, 0x3F):
            options = ["--firmware", plain[0], "--vcpus", "1", "--vcpus", "2", "--hypervisor", hypervisor,
                       "--guest-features", hex(features)]
            calls.append((options, [[*plain, "EPYC-v4", count, features, hypervisor] for count in (1, 2)]))
    if OVMF.exists():
        calls.append((["--firmware", OVMF, "--vcpus", 4], [[OVMF, None, None, None, "EPYC-v4", 4, 1, "qemu"]]))
    assert compare(independent_python, folder, calls) >= 480 + 16 + 18


def test_one_guest_for_each_digest(parts):
    """Models of one signature report the same."""
    found = measure("--firmware", parts["usual"], *[word for model in ALL_MODELS for word in ("--vcpu-model", model)],
                    "--vcpus", "2,1,2")
    assert len(found) == 2 * len(MODELS)
    assert digests("--firmware", parts["usual"], "--vcpu-model", "0x800f12", "--vcpus", 2) == [
        found[0]["registers"]["MEASUREMENT"]]
    text = cupel("image", "measure", "--firmware", parts["usual"], "--vcpus", 2, check=0).stdout
    assert text.splitlines()[0] == "usual unversioned, snp, 2 processors of EPYC-v4" and "MEASUREMENT" in text


@pytest.fixture
def image(folder):
    """An image's folder whose kernel is no kernel, and the firmware for it."""
    place = folder / "image"
    place.mkdir()
    root = hashlib.sha256(b"root").hexdigest()
    line = COMMAND_LINE.format(root=root)
    files = {"vmlinuz": efi_programs.kernel(), "initrd": b"initrd\n" * 999, "root.img": bytes(8192), "packages.txt": b"gcc 12\n"}
    files["uki.efi"] = efi_programs.unified(folder / "uki.efi", line.encode(), files["vmlinuz"], files["initrd"])
    for name, body in files.items():
        (place / name).write_bytes(body)
    describe(place, commandLine=line, rootHash=root)
    (folder / "snp.fd").write_bytes(firmware())
    (folder / "tdx.fd").write_bytes(firmware(sections=None, table=None, reset=None, tdx=TDX_SECTIONS))
    return place


def describe(place, **members):
    described = {"version": 1, "name": "cupel-guest", "imageVersion": "1.2.0", "kernelRelease": "6.12.1-test", "hashOffset": 4096}
    if (place / "image.json").exists():
        described = json.loads((place / "image.json").read_bytes())
    files = {path.name: {"size": path.stat().st_size, "sha256": sha256(path.read_bytes())}
             for path in place.iterdir() if path.name != "image.json"}
    (place / "image.json").write_text(json.dumps({**described, "files": files, **members}))


def mrtd(body):
    """As TDH.MEM.PAGE.ADD and TDH.MR.EXTEND measure, page by page."""
    found = hashlib.sha384()
    head = lambda name, address: name.ljust(16, b"\0") + struct.pack("<Q", address) + bytes(104)
    for offset, _, address, size, _, attributes in TDX_SECTIONS:
        for page in range(0, 0 if attributes & 2 else size, PAGE):
            found.update(head(b"MEM.PAGE.ADD", address + page))
            for chunk in range(page, page + PAGE if attributes & 1 else page, 256):
                found.update(head(b"MR.EXTEND", address + chunk) + body[offset + chunk:offset + chunk + 256])
    return found.hexdigest()


def test_an_image_is_measured_for_every_platform(independent_python, image, folder):
    found = measure(image, "--firmware", folder / "snp.fd", "--firmware", folder / "tdx.fd", "--vcpus", "1,2")
    assert [(entry["platform"], entry["name"], entry["version"]) for entry in found] == [
        (platform, "cupel-guest", "1.2.0") for platform in ("snp", "snp", "tdx", "vtpm")]
    line = json.loads((image / "image.json").read_bytes())["commandLine"]
    program, linux, initrd = ((image / name).read_bytes() for name in ("uki.efi", "vmlinuz", "initrd"))
    assert found[2]["registers"] == {"MRTD": mrtd((folder / "tdx.fd").read_bytes()),
                                     **efi_programs.measured(program, line.encode(), linux, initrd, "sha384")}
    assert found[3]["registers"] == efi_programs.measured(program, line.encode(), linux, initrd)
    given = [folder / "snp.fd", image / "vmlinuz", image / "initrd", line]
    assert compare(independent_python, folder, [([image, "--firmware", given[0], "--vcpus", "1,2"],
                                                 [[*given, "EPYC-v4", count, 1, "qemu"] for count in (1, 2)])]) == 2


@pytest.mark.parametrize("change", ["kernel", "initrd", "command line"])
def test_another_image_is_measured_otherwise(image, folder, change):
    before = measure(image, "--firmware", folder / "snp.fd", "--firmware", folder / "tdx.fd", "--vcpus", 1)
    described = json.loads((image / "image.json").read_bytes())
    line = described["commandLine"] + (" debug" if change == "command line" else "")
    linux, initrd = (image / "vmlinuz").read_bytes(), (image / "initrd").read_bytes()
    if change == "kernel":
        linux = efi_programs.kernel(b"6.12.2-test")
    if change == "initrd":
        initrd += b"\n"
    (image / "vmlinuz").write_bytes(linux)
    (image / "initrd").write_bytes(initrd)
    (image / "uki.efi").write_bytes(efi_programs.unified(folder / "uki.efi", line.encode(), linux, initrd))
    describe(image, commandLine=line)
    after = measure(image, "--firmware", folder / "snp.fd", "--firmware", folder / "tdx.fd", "--vcpus", 1)
    for first, second in zip(before, after, strict=True):
        assert first["platform"] == second["platform"] and first["registers"] != second["registers"]


def test_files_that_are_not_those_described_are_refused(image):
    for name in ("vmlinuz", "initrd", "uki.efi"):
        body = (image / name).read_bytes()
        (image / name).write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
        assert name in cupel("image", "measure", image, check=2).stderr
        (image / name).write_bytes(body)
    # Described, and not of one image.
    (image / "initrd").write_bytes(b"another")
    describe(image)
    assert "was not made of this image: initrd differs" in cupel("image", "measure", image, check=2).stderr
    (image / "image.json").write_text("{}")
    assert "image.json version" in cupel("image", "measure", image, check=2).stderr
    (image / "image.json").unlink()
    assert "could not be opened" in cupel("image", "measure", image, check=2).stderr


def test_registers_that_do_not_follow_from_files_are_given(image, folder):
    options = ["--firmware", folder / "tdx.fd", "--register", "RTMR0=" + "ab" * 48, "--register", "PCR0=" + "cd" * 32]
    found = measure(image, *options)
    assert found[0]["registers"]["RTMR0"] == "ab" * 48 and found[1]["registers"]["PCR0"] == "cd" * 32
    ccel = event_log(0x0C, 48, [(1, b"t" * 48), (2, b"u" * 48)])
    (folder / "ccel").write_bytes(ccel)
    found = measure(image, "--firmware", folder / "tdx.fd", "--reference-log", folder / "ccel")
    assert found[0]["registers"]["RTMR0"] == efi_programs.register([b"t" * 48], "sha384")
    for given in (["--register", "RTMR1=" + "ab" * 48], ["--register", "RTMR0=ab"], ["--register", "PCR0"],
                  ["--register", "PCR0=" + "00" * 32, "--register", "PCR0=" + "00" * 32],
                  ["--register", "RTMR0=" + "ab" * 48, "--reference-log", folder / "ccel"], ["--reference-log", OVMF]):
        cupel("image", "measure", image, "--firmware", folder / "tdx.fd", *given, check=2)
    # Nothing is computed for TDX, so the value would count for nothing.
    cupel("image", "measure", image, "--register", "RTMR0=" + "ab" * 48, check=2)


def event_log(algorithm, size, events):
    head = b"Spec ID Event03\0" + struct.pack("<IBBBBIHHB", 0, 0, 2, 0, 2, 1, algorithm, size, 0)
    log = struct.pack("<II20xI", 0, 3, len(head)) + head
    return log + b"".join(struct.pack("<IIIH", index, 1, 1, algorithm) + digest + struct.pack("<I", 1) + b"e"
                          for index, digest in events)


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the shared vectors are not there")
def test_a_recorded_boot_gives_the_registers_of_its_machine(image, folder):
    vectors = VECTORS / "measured-vm/tpm"
    observed = json.loads((vectors / "expected.json").read_bytes())["observed_pcrs"]
    found, = measure(image, "--reference-log", vectors / "eventlog.bin")
    for index in (0, 1, 2, 3, 5, 6, 7, 12, 13, 14, 15):
        assert found["registers"][f"PCR{index}"] == observed[str(index)]
    # A machine with other variables would never report what is computed.
    (folder / "log").write_bytes(event_log(0x0B, 32, [(0, b"a" * 32), (1, b"b" * 32), (7, b"c" * 32)]))
    assert "PCR2" in cupel("image", "measure", image, "--reference-log", folder / "log", check=2).stderr


@pytest.mark.parametrize("arguments, words", [
    ([], "name an image's folder"),
    (["{image}", "--kernel", "k"], "the image has its own"),
    (["--firmware", "f", "--initrd", "i"], "are for --kernel"),
    (["{image}", "--platform", "snp"], "no --firmware for it is named"),
    (["{image}", "--platform", "tdx"], "no --firmware for it is named"),
    (["{image}", "--platform", "az-snp"], "there is no platform"),
    (["{image}", "--platform", "tdx", "--firmware", "{snp}"], "no --firmware for it is named"),
    (["{image}", "--firmware", "{snp}"], "how many processors"),
    (["{image}", "--firmware", "{snp}", "--vcpus", "0"], "no number of processors"),
    (["{image}", "--firmware", "{snp}", "--vcpus", "1,,2"], "no number of processors"),
    (["{image}", "--firmware", "{snp}", "--vcpus", "1", "--vcpu-model", "host"], "no model of QEMU's"),
    (["{image}", "--firmware", "{snp}", "--vcpus", "1", "--guest-features", "2"], "lowest bit"),
    (["{image}", "--firmware", "{snp}", "--vcpus", "1", "--hypervisor", "xen"], "qemu, ec2 or gce"),
    (["{image}", "--firmware", "{image}/vmlinuz", "--vcpus", "1"], "expected whole pages"),
    (["{image}", "--firmware", "/nonexistent"], "could not be opened"),
    (["--igvm", "{snp}"], "not 'IGVM'"),
    (["--firmware", "{tdx}", "--vcpus", "1"], "no file that is named can be measured"),
    # Beside an image, whose registers of a TPM can always be computed, nothing that is named counts for nothing.
    (["{image}", "--firmware", "{plain}"], "plain.fd says nothing of SEV-SNP"),
    (["{image}", "--platform", "vtpm", "--firmware", "{plain}"], "plain.fd says nothing of SEV-SNP"),
    (["{image}", "--firmware", "{snp}", "--firmware", "{plain}", "--vcpus", "1"], "plain.fd says nothing of SEV-SNP"),
    (["{image}", "--vcpus", "2"], "--vcpus is given, and nothing is computed for 'snp'"),
    (["{image}", "--vcpu-model", "EPYC"], "--vcpu-model is given, and nothing is computed for 'snp'"),
    (["{image}", "--guest-features", "0x1"], "--guest-features is given, and nothing is computed for 'snp'"),
    (["{image}", "--hypervisor", "ec2"], "--hypervisor is given, and nothing is computed for 'snp'"),
    (["{image}", "--firmware", "{tdx}", "--vcpus", "2"], "--vcpus is given, and nothing is computed for 'snp'"),
    (["{image}", "--platform", "vtpm", "--firmware", "{snp}", "--vcpus", "2"], "--vcpus is given"),
])
def test_what_cannot_be_measured_is_refused(image, folder, arguments, words):
    (folder / "plain.fd").write_bytes(firmware(sections=None, table=None, reset=None))
    places = {"image": image, **{name: folder / f"{name}.fd" for name in ("snp", "tdx", "plain")}}
    done = cupel("image", "measure", *[argument.format(**places) for argument in arguments], check=2)
    assert words in done.stderr and done.stdout == ""


def test_firmware_that_would_start_any_kernel_is_refused(image, folder):
    for name, body in {"no-section": firmware(sections=SNP_SECTIONS[:-1]), "no-table": firmware(table=None)}.items():
        (folder / name).write_bytes(body)
        done = cupel("image", "measure", image, "--platform", "snp", "--firmware", folder / name, "--vcpus", 1, check=2)
        assert "SNP_KERNEL_HASHES" in done.stderr
        # Where all platforms are wanted, the others are computed, and this one's absence is said.
        done = cupel("image", "measure", image, "--firmware", folder / name, "--vcpus", 1, "--json", check=0)
        assert [entry["platform"] for entry in json.loads(done.stdout)["images"]] == ["vtpm"]
        assert done.stderr.startswith("snp: not computed, as the firmware has no page")
    assert cupel("image", "measure", image, check=0).stderr == ""
    # Without a kernel there is nothing that it could measure, which is said.
    for arguments, note in (([], "snp: no kernel is named"), (["--kernel", image / "vmlinuz"], "")):
        done = cupel("image", "measure", "--firmware", folder / "snp.fd", "--vcpus", 1, *arguments, check=0)
        assert done.stderr.startswith(note) and bool(done.stderr) == bool(note)


@pytest.mark.parametrize("name, value, words", [
    ("CPUS", "256", "machine.cpus"), ("MEMORY", str((512 << 20) + 1), "whole MiB"), ("DISK", str((1 << 30) + 1), "whole pages"),
])
def test_machines_that_none_can_be_stop_the_start_of_a_server(image, folder, name, value, words):
    done = cupel("serve", "--port", "0", "--data", folder / "data", "--isolation", "vm", check=2,
                 env={"CUPEL_MACHINE_IMAGE": str(image), "CUPEL_MACHINE_SPARE": "0", f"CUPEL_MACHINE_{name}": value})
    assert words in done.stderr and "serving" not in done.stdout


def test_kernels_that_measure_nothing_under_tdx_are_refused(image, folder):
    linux, initrd = efi_programs.kernel(b"6.1.0-test"), (image / "initrd").read_bytes()
    line = json.loads((image / "image.json").read_bytes())["commandLine"]
    (image / "vmlinuz").write_bytes(linux)
    (image / "uki.efi").write_bytes(efi_programs.unified(folder / "uki.efi", line.encode(), linux, initrd))
    describe(image)
    done = cupel("image", "measure", image, "--platform", "tdx", "--firmware", folder / "tdx.fd", check=2)
    assert "6.1.0-test does not measure its command line" in done.stderr


def igvm(pages, area):
    """Written from the structures of igvm_defs: pages of content, one of zeros, one with secrets, the processor's state."""
    structures = [struct.pack("<II", 1, 16) + struct.pack("<IBBHQ", 1, 0, 2, 1, 0),
                  struct.pack("<II", 0x101, 16) + struct.pack("<QII", 0x30000, 1, 0)]
    start = 24 + 24 * 2 + 32 * (len(pages) + 2) + 32
    for index in range(len(pages)):
        structures.append(struct.pack("<IIQIIIHH", 0x302, 24, PAGE * index, 1, start + PAGE * index, 0, 0, 0))
    for index, kind in enumerate((0, 1), len(pages)):
        structures.append(struct.pack("<IIQIIIHH", 0x302, 24, PAGE * index, 1, 0, 0, kind, 0))
    structures.append(struct.pack("<IIQIIHH4x", 0x304, 20, 0xFFFFFFFFF000, 1, start + PAGE * len(pages), 0, 0))
    header, data = b"".join(structures), b"".join(pages) + area
    fixed = lambda checksum: struct.pack("<4sIIIII", b"IGVM", 1, 24, len(header), 24 + len(header) + len(data), checksum)
    return fixed(zlib.crc32(fixed(0) + header)) + header + data


def test_an_igvm_file_is_measured(folder):
    pages, area = [bytes([index]) * PAGE for index in (1, 2, 2)], b"v" * PAGE
    (folder / "guest.igvm").write_bytes(igvm(pages, area))
    expected = bytes(48)
    content = lambda body: hashlib.sha384(body).digest()
    launched = [(1, PAGE * index, content(body)) for index, body in enumerate(pages)]
    launched += [(3, PAGE * 3, bytes(48)), (5, PAGE * 4, bytes(48)), (2, 0xFFFFFFFFF000, content(area))]
    for kind, address, digest in launched:
        expected = content(expected + digest + struct.pack("<HB5xQ", 0x70, kind, address))
    assert digests("--igvm", folder / "guest.igvm") == [expected.hex()]
    cupel("image", "measure", "--igvm", folder / "guest.igvm", "--vcpus", 1, check=0)
    done = cupel("image", "measure", "--igvm", folder / "guest.igvm", "--vcpus", 2, check=2)
    assert "not for 2" in done.stderr
    entry, = measure("--igvm", folder / "guest.igvm")
    assert (entry["name"], entry["version"]) == ("guest.igvm", "unversioned")
    broken = bytearray(igvm(pages, area))
    broken[100] ^= 1
    (folder / "guest.igvm").write_bytes(broken)
    assert "checksum" in cupel("image", "measure", "--igvm", folder / "guest.igvm", check=2).stderr


@pytest.mark.parametrize("others", [
    ["{image}"], ["{image}", "--platform", "snp"], ["{image}", "--platform", "vtpm"], ["--firmware", "{snp}"],
    ["--kernel", "{image}/vmlinuz"], ["--vcpu-model", "EPYC"], ["--guest-features", "0x1"], ["--hypervisor", "ec2"],
])
def test_an_igvm_file_is_named_alone(image, folder, others):
    """What it holds would else bear the name of an image that it was not made of."""
    (folder / "guest.igvm").write_bytes(igvm([bytes(PAGE)], b"v" * PAGE))
    others = [other.format(image=image, snp=folder / "snp.fd") for other in others]
    done = cupel("image", "measure", *others, "--igvm", folder / "guest.igvm", "--output", folder / "list", check=2)
    assert "name it alone" in done.stderr and done.stdout == "" and not (folder / "list").exists()


def test_the_list_is_one_that_can_be_signed_and_named(image, folder, bundle):
    listed = folder / "images.json"
    done = cupel("image", "measure", image, "--output", listed, "--json", check=0)
    assert listed.read_text() == done.stdout
    cupel("verify", bundle[0], "--allow-software", "--images", listed, check=0)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "k"], check=True)
    cupel("measurements", "sign", listed, "--key", folder / "k", "--output", folder / "signed.json", check=0)
    # A signed list is not believed without its key.
    done = cupel("verify", bundle[0], "--allow-software", "--images", folder / "signed.json", check=2)
    assert "is a signed list" in done.stderr
    for text in ("{}", "[]", '{"version":1,"images":[]}x', listed.read_text().replace("PCR11", "PCR99")):
        listed.write_text(text)
        cupel("verify", bundle[0], "--allow-software", "--images", listed, check=2)
    listed.write_text('{"version":1,"issued":"2000-01-01T00:00:00Z","expires":"2001-01-01T00:00:00Z",'
                      '"images":[{"platform":"vtpm","name":"a","version":"1","registers":{"PCR11":"%s"}}]}' % ("00" * 32))
    assert "expired" in cupel("verify", bundle[0], "--allow-software", "--images", listed, check=2).stderr


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the shared vectors are not there")
def test_evidence_of_a_named_image_is_accepted_and_of_another_refused(folder):
    report = VECTORS / "snp/milan-v3-microsoft.report.bin"
    arguments = ["verify", "--evidence", report, "--collateral", VECTORS / "snp/milan-v3-microsoft.vek.der", "--at",
                 "2026-06-01T00:00:00Z", "--offline"]
    measurement = report.read_bytes()[0x90:0xC0].hex()
    for value, status in ((measurement, 0), ("00" * 48, 1)):
        (folder / "images.json").write_text(json.dumps({"version": 1, "images": [
            {"platform": "snp", "name": "theirs", "version": "1", "registers": {"MEASUREMENT": value}}]}))
        done = cupel(*arguments, "--images", folder / "images.json", check=status)
    assert "unknown image" in done.stdout + done.stderr
    cupel(*arguments, check=1)
