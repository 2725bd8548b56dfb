# SPDX-License-Identifier: Apache-2.0
"""Guest images for the tests of machines: the one that `cupel image build` makes, and copies that differ from it in one
thing each."""
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import image_builds

# Measured with the rest. A git server of the tests is on the host's loopback, which the guest sees as 10.0.3.2.
SETTINGS = "allow_private_sources = true\n"
# As the root is made (docs/machines.md).
ROOT_TIME, ROOT_UUID = 1767225600, "c0be1000-0000-4000-8000-000000000001"
VERITY_UUID = "c0be1000-0000-4000-8000-000000000002"
# Of the unified kernel image (UAPI Group, "Unified Kernel Image"), in the order in which the stub measures them.
SECTIONS = (".osrel", ".cmdline", ".uname", ".linux", ".initrd")


PROGRAMS = ("qemu-system-x86_64", "swtpm", "swtpm_setup", "veritysetup", "mkfs.erofs", "fsck.erofs")


def skip_where_none_can_be_used():
    image_builds.skip_where_none_can_be_made()
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} is missing; Scripts/requirements tests installs it")


def build(folder):
    """An image as users make it. One that is there already can be named, to save the time: CUPEL_TEST_IMAGE."""
    ready = os.environ.get("CUPEL_TEST_IMAGE")
    if ready:
        return pathlib.Path(ready)
    skip_where_none_can_be_used()
    settings = folder / "guest.toml"
    settings.write_text(SETTINGS)
    return image_builds.first(folder / "image", "--settings", settings)


def described(image):
    return json.loads((image / "image.json").read_bytes())


def copied(image, folder):
    """A copy that shares its files with the original; replace them, never write into them."""
    folder.mkdir()
    for path in image.iterdir():
        is_shared = path.name != "image.json" and path.stat().st_dev == folder.stat().st_dev
        (os.link if is_shared else shutil.copy)(path, folder / path.name)
    return folder


def replace(image, name, body):
    """Puts other bytes in the place of a file of an image."""
    (image / name).unlink(missing_ok=True)
    (image / name).write_bytes(body)


def describe(image, **changes):
    """Writes image.json anew, so that nothing but a measurement tells the image from the one that was measured."""
    description = {**described(image), **changes}
    for name in description["files"]:
        with open(image / name, "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        description["files"][name] = {"size": (image / name).stat().st_size, "sha256": digest.hexdigest()}
    (image / "image.json").write_text(json.dumps(description, sort_keys=True, separators=(",", ":")))
    return image


def headers(body):
    """Where a PE file says what its sections are: (offset of the optional header, section's name → offset of its
    header); Microsoft, "PE Format"."""
    start = int.from_bytes(body[0x3C:0x40], "little")
    count, size = (int.from_bytes(body[start + at:start + at + 2], "little") for at in (6, 20))
    places = [start + 24 + size + 40 * index for index in range(count)]
    return start + 24, {body[at:at + 8].rstrip(b"\0").decode(): at for at in places}


def field(body, offset):
    return int.from_bytes(body[offset:offset + 4], "little")


def section(kernel, name):
    """The bytes of a section of a unified kernel image."""
    body = kernel.read_bytes()
    at = headers(body)[1][name]
    size, offset = field(body, at + 8), field(body, at + 20)
    return body[offset:offset + size]


def with_section(image, name, content):
    """Puts other bytes in the place of a section of the image's unified kernel image; what comes after it moves."""
    path = image / "uki.efi"
    body = path.read_bytes()
    optional, places = headers(body)
    contents = {name: section(path, name) for name in SECTIONS if name in places} | {name: content}
    first = places[next(iter(contents))]
    address, end = field(body, first + 12), field(body, first + 20)
    changed = bytearray(body[:end])
    for part, content in contents.items():
        fields = (len(content), address, aligned(len(content), 512), len(changed))
        changed[places[part] + 8:places[part] + 24] = b"".join(number.to_bytes(4, "little") for number in fields)
        changed += content + bytes(aligned(len(content), 512) - len(content))
        address = aligned(address + len(content), 4096)
    # SizeOfImage.
    changed[optional + 56:optional + 60] = address.to_bytes(4, "little")
    replace(image, "uki.efi", changed)
    path.chmod(0o644)
    assert section(path, name) == contents[name]


def aligned(number, unit):
    return -(-number // unit) * unit


def with_command_line(image, folder):
    """One word more on the kernel's command line, which nothing in the guest heeds."""
    changed = copied(image, folder)
    line = described(image)["commandLine"] + " cupel.other=1"
    with_section(changed, ".cmdline", line.encode() + b"\0")
    return describe(changed, commandLine=line)


def with_initrd(image, folder):
    """One file more in the initrd, which nothing in the guest opens: archives may follow each other (Linux,
    "initramfs buffer format")."""
    changed = copied(image, folder)
    body = (image / "initrd").read_bytes()
    archive = entry("other", b"other", 0o100644) + entry("TRAILER!!!", b"", 0)
    body = padded(body) + gzip.compress(archive, mtime=0)
    replace(changed, "initrd", body)
    with_section(changed, ".initrd", body)
    return describe(changed)


def with_guest_program(image, folder):
    """Another program of the guest: the same with a few bytes at its end, which no system looks at. The root is made as
    `cupel image build` makes it; its hash is another, and so is the command line."""
    changed = copied(image, folder)
    with tempfile.TemporaryDirectory(prefix="root-", dir=folder.parent) as root:
        run("fsck.erofs", f"--extract={root}", "--overwrite", image / "root.img")
        with open(f"{root}/usr/lib/cupel/cupel-guest", "ab") as program:
            program.write(b"other")
        disk = changed / "root.img"
        disk.unlink()
        run("mkfs.erofs", "-zlz4hc", "-x-1", f"-T{ROOT_TIME}", "-U", ROOT_UUID, "--quiet", disk, root)
    offset = aligned(disk.stat().st_size, 4096)
    os.truncate(disk, offset)
    answer = run("veritysetup", "format", "--hash=sha256", f"--salt={'0' * 64}", f"--uuid={VERITY_UUID}",
                 f"--data-blocks={offset // 4096}", f"--hash-offset={offset}", disk, disk)
    root_hash = re.search(r"Root hash:\s+([0-9a-f]{64})", answer)[1]
    line = re.sub(r"cupel\.roothash=\S+", f"cupel.roothash={root_hash}", described(image)["commandLine"])
    line = re.sub(r"cupel\.hashoffset=\S+", f"cupel.hashoffset={offset}", line)
    with_section(changed, ".cmdline", line.encode() + b"\0")
    return describe(changed, commandLine=line, rootHash=root_hash, hashOffset=offset)


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def padded(body):
    return body + bytes(-len(body) % 4)


def entry(name, content, mode):
    """A file of a cpio archive in the format "newc" (Linux, buffer-format)."""
    fields = (1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    return padded(b"070701" + b"".join(b"%08x" % number for number in fields) + name.encode() + b"\0") + padded(content)
