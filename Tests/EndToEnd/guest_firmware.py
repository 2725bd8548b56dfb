# SPDX-License-Identifier: Apache-2.0
"""Firmware for tests, with the tables by which OVMF says how it is launched, and no code. It starts nothing."""
import struct
import uuid

PAGE = 4096
FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
RESET_BLOCK = "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454"
SEV_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"
TDX_METADATA = "e47a6535-984a-4798-865e-4685a7bf8ec2"

# Address, size, type; as the AmdSev build of OVMF has them.
SNP_SECTIONS = [(0x800000, 0x9000, 1), (0x80A000, 0x3000, 1), (0x80D000, 0x1000, 2), (0x80E000, 0x1000, 3),
                (0x80F000, 0x1000, 4), (0x811000, 0xF000, 1), (0x810000, 0x1000, 0x10)]


def entry(guid, content):
    return content + struct.pack("<H", len(content) + 18) + uuid.UUID(guid).bytes_le


def firmware(pages=16, *, sections=SNP_SECTIONS, reset=0x80B004, table=0x810C00, tdx=None, seed=0):
    """`tdx`: fields of TDVF sections: offset, size in the file, address, size in memory, type, attributes."""
    size = pages * PAGE
    body = bytearray((index // PAGE * 7 + index % 251 + seed) & 0xFF for index in range(size))
    body[3 * PAGE:6 * PAGE] = b"\xff" * (3 * PAGE)
    entries = b""
    if sections is not None:
        metadata = struct.pack("<4sIII", b"ASEV", 16 + 12 * len(sections), 1, len(sections))
        metadata += b"".join(struct.pack("<III", *section) for section in sections)
        body[size - 2048:size - 2048 + len(metadata)] = metadata
        entries += entry(SEV_METADATA, struct.pack("<I", 2048))
    if tdx is not None:
        metadata = struct.pack("<4sIII", b"TDVF", 16 + 32 * len(tdx), 1, len(tdx))
        metadata += b"".join(struct.pack("<IIQQII", *section) for section in tdx)
        body[size - 1024:size - 1024 + len(metadata)] = metadata
        entries += entry(TDX_METADATA, struct.pack("<I", 1024))
    if table is not None:
        entries += entry(HASH_TABLE, struct.pack("<II", table, 1024))
    if reset is not None:
        entries += entry(RESET_BLOCK, struct.pack("<I", reset))
    entries += struct.pack("<H", len(entries) + 18) + uuid.UUID(FOOTER).bytes_le
    body[size - 32 - len(entries):size - 32] = entries
    return bytes(body)
