# SPDX-License-Identifier: Apache-2.0
"""EFI programs for tests, and what firmware measures of them, once more and independently of Cupel."""
import hashlib
import struct
import subprocess

STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"


def kernel(release=b"6.12.1-test"):
    """Headers of an EFI program and of Linux's boot protocol, and no code."""
    body = bytearray(1024)
    body[:2] = b"MZ"
    struct.pack_into("<I", body, 60, 0x80)
    body[0x80:0x84] = b"PE\0\0"
    struct.pack_into("<HH", body, 0x84, 0x8664, 1)
    struct.pack_into("<HH", body, 0x94, 112 + 8 * 6, 0x206)
    struct.pack_into("<H", body, 0x98, 0x20B)
    struct.pack_into("<I", body, 0x98 + 60, 512)
    struct.pack_into("<I", body, 0x98 + 108, 6)
    struct.pack_into("<8sIIII", body, 0x98 + 112 + 48, b".text", 512, 0x1000, 512, 512)
    body[0x202:0x208] = b"HdrS\x0f\x02"
    struct.pack_into("<H", body, 0x20E, 0x40)
    body[0x240:0x240 + len(release) + 1] = release + b" "
    return bytes(body)


def unified(path, command_line, linux, initrd):
    """As the image's builder makes it: the sections after the stub's, one after another."""
    stub = open(STUB, "rb").read()
    start, = struct.unpack_from("<I", stub, 60)
    count, optional = struct.unpack_from("<H12xH", stub, start + 6)
    base, = struct.unpack_from("<Q", stub, start + 48)
    end = max(sum(struct.unpack_from("<II", stub, start + 24 + optional + 40 * index + 8)) for index in range(count))
    arguments = []
    for name, body in {"osrel": b"ID=cupel\n", "cmdline": command_line + b"\0", "uname": b"6.12.1-test", "linux": linux,
                       "initrd": initrd}.items():
        (path.parent / f"section-{name}").write_bytes(body)
        end = -(-end // 4096) * 4096
        arguments += ["--add-section", f".{name}={path.parent}/section-{name}",
                      "--change-section-vma", f".{name}={base + end:#x}"]
        end += len(body)
    subprocess.run(["objcopy", *arguments, STUB, path], check=True)
    return path.read_bytes()


def authenticode(body, algorithm="sha256"):
    start, = struct.unpack_from("<I", body, 60)
    checksum, table = start + 88, start + 24 + 112 + 32
    return hashlib.new(algorithm, body[:checksum] + body[checksum + 4:table] + body[table + 8:]).digest()


def register(digests, algorithm="sha256"):
    value = bytes(hashlib.new(algorithm).digest_size)
    for digest in digests:
        value = hashlib.new(algorithm, value + digest).digest()
    return value.hex()


def variable(owner, name, content):
    return owner + struct.pack("<QQ", len(name), len(content)) + name.encode("utf-16le") + content


def measured(program, command_line, linux, initrd, algorithm="sha256"):
    """Register -> value: PCRs; with SHA-384, the registers of TDX."""
    def hashed(*contents):
        return [hashlib.new(algorithm, content).digest() for content in contents]

    separator = hashed(bytes(4))
    exits = hashed(b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success")
    started = [authenticode(program, algorithm), *hashed(b"Calling EFI Application from Boot Option"), *separator,
               authenticode(linux, algorithm)]
    kernels = hashed((command_line.decode() + "\0").encode("utf-16le"), initrd)
    if algorithm == "sha384":
        return {"RTMR1": register([*started, *exits], algorithm), "RTMR2": register(kernels, algorithm), "RTMR3": "00" * 48}
    efi = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
    security = bytes.fromhex("cbb219d73a3d9645a3bcdad00e67656f")
    variables = hashed(variable(efi, "SecureBoot", b"\0"), variable(efi, "PK", b""), variable(efi, "KEK", b""),
                       variable(security, "db", b""), variable(security, "dbx", b""))
    sections = hashed(b".linux\0", linux, b".osrel\0", b"ID=cupel\n", b".cmdline\0", command_line + b"\0", b".initrd\0", initrd)
    return {"PCR4": register(started), "PCR5": register([*separator, *exits]), "PCR7": register([*variables, *separator]),
            "PCR9": register(kernels), "PCR11": register(sections),
            **{f"PCR{index}": register(separator) for index in (2, 3, 6)},
            **{f"PCR{index}": "00" * 32 for index in (12, 13, 14, 15)}}
