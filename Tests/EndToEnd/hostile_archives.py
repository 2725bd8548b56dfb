# SPDX-License-Identifier: Apache-2.0
"""Archives made to harm whoever unpacks them: name -> (file name, bytes, error type, a part of the error).

Without an error type the archive is accepted; the builds of those end because there is nothing to build in them.
"""
import gzip
import io
import itertools
import random
import struct
import subprocess
import tarfile
import warnings
import zipfile
import zlib

SYM, LNK, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
SOURCE, LIMIT = "SourceError", "ResourceLimitError"
ACCEPTED = "UnsupportedToolchainError"
BLOCK = 512


def entry(name, data=b"", kind=tarfile.REGTYPE, target="", mode=0o644, **more):
    """One entry of a tar file, with its content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, target, mode, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tar(*entries, format=tarfile.PAX_FORMAT, **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, **options) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tgz(*entries, **options):
    return gzip.compress(tar(*entries, **options), mtime=0)


def header(name, size=0, kind=b"0", size_field=None):
    """A ustar header as it is on disk; `size_field` are the raw bytes of the size."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    if size_field:
        block[124:136] = size_field.ljust(12, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def pax(records, then):
    """A PAX extended header with these raw records, and what follows it."""
    body = b""
    for key, value in records:
        record = b" %s=%s\n" % (key, value)
        length = len(record)
        while len(str(length)) + len(record) != length:
            length = len(str(length)) + len(record)
        body += str(length).encode() + record
    return header("PaxHeaders/x", len(body), b"x") + padded(body) + then


def raw_tgz(data):
    return gzip.compress(data + bytes(1024), mtime=0)


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    """A ZIP file of (name, content, Unix mode)."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, data, mode in files:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type, info.create_system = mode << 16, method, 3
            archive.writestr(info, data)
    return out.getvalue()


def deflated_repeats(first, piece, count, last):
    """Raw deflate of `first`, `count` times `piece`, and `last`, in a time that does not depend on `count`."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = deflate.compress(first) + deflate.flush(zlib.Z_FULL_FLUSH)
    repeated = deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)
    return start + repeated * count + deflate.compress(last) + deflate.flush()


def zeros_tgz(size):
    """A file of `size` zeros, a multiple of 64 MiB."""
    piece = 64 << 20
    start = header("zeros", size_field=b"\x80" + size.to_bytes(11, "big"))
    body = deflated_repeats(start, bytes(piece), size // piece, bytes(1024))
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", 0, (size + BLOCK + 1024) & 0xFFFFFFFF)


def zeros_zip(size):
    piece = 64 << 20
    body = deflated_repeats(b"", bytes(piece), size // piece, b"")
    extra = struct.pack("<HHQQ", 1, 16, size, len(body))
    start = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 8, 0, 0x21, 0, 0xFFFFFFFF, 0xFFFFFFFF, 5, len(extra)) + b"zeros" + extra
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x032D, 45, 0, 8, 0, 0x21, 0, 0xFFFFFFFF, 0xFFFFFFFF, 5,
                          len(extra), 0, 0, 0, 0o100644 << 16, 0) + b"zeros" + extra
    return start + body + central + zip_end(1, len(central), len(start + body))


def zip_end(count, size, offset):
    return struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, offset, 0)


def overlap_zip(count, size):
    """A ZIP file in which `count` names share one deflated body of `size` zeros: bytes of a member are others' as well."""
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = body.compress(bytes(size)) + body.flush()
    check = zlib.crc32(bytes(size))
    start = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0x21, check, len(body), size, 5, 0) + b"f0000"
    central = b"".join(
        struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x0314, 20, 0, 8, 0, 0x21, check, len(body), size, 5, 0, 0, 0, 0,
                    0o100644 << 16, 0) + b"f%04d" % index for index in range(count))
    return start + body + central + zip_end(count, len(central), len(start + body))


def quine():
    """A gzip file that inflates to itself (after Russ Cox, "Zip Files All The Way Down"). All units are 5 bytes."""
    def literal(length):
        return struct.pack("<BHH", 0, length, length ^ 0xFFFF)
    # A block of fixed Huffman codes, 40 bits: twice a match of 10 bytes at distance 20, and the end.
    r = bytes.fromhex("42 88 21 c4 00")
    prefix = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"r.gz\0"
    l0, l5, l20 = literal(0), literal(5), literal(20)

    def whole(check, length):
        suffix = l0 + b"\x03\0" + struct.pack("<II", check, length)
        return b"".join([
            prefix, l20, prefix, l20, r, l5, r, l5, l5, l20, r, l5, l5, l20, r, l20, r, l20, r, l20, r,
            l20, r, l0, l0, l20, r, l0, l0, l20, r, suffix, r, suffix])
    length = len(whole(0, 0))
    # The check sum of the file is an affine function of the one that is written in it, which must be its fixed point.
    base = zlib.crc32(whole(0, length))
    basis, check, rest = {}, 0, base
    for bit in range(32):
        image, origin = zlib.crc32(whole(1 << bit, length)) ^ base ^ 1 << bit, 1 << bit
        while image and image.bit_length() in basis:
            known = basis[image.bit_length()]
            image, origin = image ^ known[0], origin ^ known[1]
        if image:
            basis[image.bit_length()] = image, origin
    while rest:
        image, origin = basis[rest.bit_length()]
        rest, check = rest ^ image, check ^ origin
    data = whole(check, length)
    assert gzip.decompress(data) == data, "the quine is none"
    return data


def local_name_differs():
    """A ZIP file whose directory says `plain` where the entry itself says `../up1`."""
    data = zipped(("plain.", b"x", 0o100644))
    return data.replace(b"plain.", b"../up1", 1)


def with_zip_fields(central=(), local=()):
    """A ZIP file of one stored entry in which fields (offset, format, value) are lies."""
    data = bytearray(zipped(("a", b"x" * 100, 0o100644), method=zipfile.ZIP_STORED))
    start = data.index(b"PK\x01\x02")
    for at, changes in ((start, central), (0, local)):
        for offset, form, value in changes:
            struct.pack_into(form, data, at + offset, value)
    return bytes(data)


def zip_within_zip():
    """A stored entry whose content is an entry, both in the directory: so are bombs made whose entries share their bytes."""
    inner = zipped(("b", b"y" * 50, 0o100644), method=zipfile.ZIP_STORED)
    inner_entry, inner_record = inner[:inner.index(b"PK\1\2")], inner[inner.index(b"PK\1\2"):-22]
    outer = zipped(("a", inner_entry, 0o100644), method=zipfile.ZIP_STORED)
    start = outer.index(b"PK\1\2")
    within = bytearray(inner_record)
    struct.pack_into("<I", within, 42, 31)
    directory = outer[start:-22] + bytes(within)
    return outer[:start] + directory + zip_end(2, len(directory), start)


def zip_with_two_ends():
    """A ZIP file with a comment that ends in another end, of an empty directory."""
    data = zipped(("a", b"x", 0o100644))
    return data[:-2] + struct.pack("<H", 22) + zip_end(0, 0, len(data))


def hard_link_bomb(count):
    noise = random.Random(1).randbytes(4 << 20)
    return tgz(entry("original", noise), *(entry(f"link{i}", kind=LNK, target="original") for i in range(count)))


def many_entries(count):
    """A tar file of `count` empty files with names that do not compress well, so that only their number is a limit."""
    noise, block, out = random.Random(2), bytearray(header("x" * 20)), bytearray()
    plain = sum(block) - sum(block[:20]) - sum(block[148:156]) + 8 * 32
    for _ in range(count):
        name = b"%020x" % noise.getrandbits(80)
        block[:20] = name
        block[148:156] = b"%06o\0 " % (plain + sum(name))
        out += block
    return gzip.compress(out + bytes(1024), 1, mtime=0)


def many_in_zip(count):
    return zipped(*((f"f{index}", b"", 0o100644) for index in range(count)))


def tar_cases(escape):
    """`escape` is an absolute path outside of everything, at which nothing may appear."""
    up, outside = "../" * 12 + escape.lstrip("/"), escape.rsplit("/", 1)[0]
    a = entry("a", b"x")
    yield "dot-dot", tgz(a, entry(up, b"x")), SOURCE, "leads out"
    yield "dot-dot within", tgz(a, entry(f"a1/../{up}", b"x")), SOURCE, "leads out"
    yield "a/..//b", tgz(entry("a/..//b", b"x")), SOURCE, "leads out"
    yield "dot-dot last", tgz(a, entry("b/..", b"x")), SOURCE, "leads out"
    yield "absolute", tgz(a, entry(escape, b"x")), SOURCE, "absolute"
    yield "many slashes", tgz(a, entry("//" + escape, b"x")), SOURCE, "absolute"
    yield "link and a file through it", tgz(entry("d", kind=SYM, target=outside), entry(f"d/{escape.rsplit('/', 1)[1]}", b"x")), \
        SOURCE, "twice"
    yield "link and a file in its place", tgz(entry("l", kind=SYM, target=escape), entry("l", b"x")), SOURCE, "twice"
    yield "link out", tgz(a, entry("l", kind=SYM, target="/etc/passwd")), SOURCE, "outside"
    yield "link up", tgz(a, entry("b/l", kind=SYM, target="../../x")), SOURCE, "outside"
    yield "link by link", tgz(entry("p/q/a", b"x"), entry("p/q/up", kind=SYM, target="../.."),
                              entry("p/q/out", kind=SYM, target="up/../etc")), SOURCE, "outside"
    yield "endless links", tgz(a, entry("l", kind=SYM, target="m"), entry("m", kind=SYM, target="l")), SOURCE, "endless"
    yield "link of 5,000 bytes", tgz(a, entry("l", kind=SYM, target="d/" * 2500)), SOURCE, "outside"
    yield "hard link out", tgz(a, entry("h", kind=LNK, target="/etc/passwd")), SOURCE, "absolute"
    yield "hard link up", tgz(a, entry("h", kind=LNK, target="../../etc/passwd")), SOURCE, "leads out"
    yield "hard link to a link", tgz(entry("l", kind=SYM, target="a"), a, entry("h", kind=LNK, target="l")), SOURCE, "no file"
    yield "hard link to what is to come", tgz(entry("h", kind=LNK, target="a"), a), SOURCE, "no file"
    yield "hard links of 4 MB, 2,000 times", hard_link_bomb(2000), LIMIT, "limit"
    yield "names that differ by case", tgz(a, entry("A", b"y")), ACCEPTED, ""
    yield "names that differ by Unicode form", tgz(entry("\u00e9", b"x"), entry("e\u0301", b"y")), SOURCE, "twice"
    yield "a name twice", tgz(a, entry("./a", b"y")), SOURCE, "twice"
    yield "a file as a folder", tgz(a, entry("a/b", b"y")), SOURCE, "twice"
    yield "a folder as a file", tgz(entry("a/b", b"y"), a), SOURCE, "twice"
    yield "a name that is not UTF-8", tgz(entry("a\udce9", b"x"), format=tarfile.GNU_FORMAT), SOURCE, "UTF-8"
    yield "no name", raw_tgz(header("", 1) + padded(b"x")), SOURCE, ""
    yield "names of another system", tgz(entry("..\\b", b"x"), entry("C:\\x", b"x"), entry("con", b"x")), ACCEPTED, ""
    yield "control characters in a name", tgz(entry("a\x1b[2J\r\n\x07", b"x")), ACCEPTED, ""
    yield "path of 8,001 bytes", tgz(entry("d/" * 4000 + "f", b"x")), LIMIT, "bytes"
    yield "200 folders deep", tgz(entry("d/" * 200 + "f", b"x")), LIMIT, "nests"
    yield "a name of 300 bytes", tgz(entry("n" * 300, b"x")), LIMIT, "300 bytes"
    yield "character device", tgz(a, entry("null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3)), SOURCE, "device"
    yield "block device", tgz(a, entry("disk", kind=tarfile.BLKTYPE, devmajor=254)), SOURCE, "device"
    yield "FIFO", tgz(a, entry("f", kind=tarfile.FIFOTYPE)), SOURCE, "FIFO"
    yield "only folders", tgz(entry("a/", kind=DIR)), SOURCE, "no file"
    yield "only its own root", tgz(entry("./", kind=DIR)), SOURCE, "no file"
    yield "nothing", tgz(), SOURCE, "no file"


def old_sparse(magic):
    """The header of a file of 1 TiB in which one byte stands, as GNU tar wrote it before POSIX.1-2001."""
    block = bytearray(header("s", 1, b"S"))
    block[257:265] = magic
    block[386:410], block[483:495] = b"00000000000\x0000000000001\0", b"\x80" + (1 << 40).to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def size_cases():
    x = padded(b"x")
    yield "sparse, 1 TiB, PAX 1.0", raw_tgz(pax(
        [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"s"),
         (b"GNU.sparse.realsize", b"%d" % (1 << 40))],
        header("s", 513) + padded(b"1\n%d\n1\n" % ((1 << 40) - 1)) + x)), SOURCE, "sparse"
    yield "sparse, 1 TiB, PAX 0.1", raw_tgz(pax(
        [(b"GNU.sparse.size", b"%d" % (1 << 40)), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.map", b"%d,1" % (1 << 39))],
        header("s", 1) + x)), SOURCE, "sparse"
    yield "sparse, 1 TiB, old GNU", raw_tgz(old_sparse(b"ustar  \0") + x), SOURCE, "sparse"
    yield "a kind of entry that POSIX does not know", raw_tgz(old_sparse(b"ustar\x0000") + x), ACCEPTED, ""
    yield "PAX size larger than the file", raw_tgz(pax([(b"size", b"9000000000")], header("a", 1) + x)), SOURCE, ""
    yield "PAX size smaller than the file", raw_tgz(pax([(b"size", b"1")], header("a", 4 * BLOCK) + b"y" * 4 * BLOCK)), SOURCE, ""
    yield "PAX size negative", raw_tgz(pax([(b"size", b"-1")], header("a", 1) + x)), SOURCE, ""
    yield "PAX size beyond 64 bits", raw_tgz(pax([(b"size", b"9" * 30)], header("a", 1) + x)), SOURCE, ""
    yield "negative size", raw_tgz(header("a", size_field=b"\xff" * 12) + x), SOURCE, ""
    yield "size of 2^63 - 1", raw_tgz(header("a", size_field=b"\x80" + ((1 << 63) - 1).to_bytes(11, "big")) + x), SOURCE, ""
    yield "size of 2^87", raw_tgz(header("a", size_field=b"\x80" + b"\xff" * 11) + x), SOURCE, ""
    yield "a wrong sum of a header", raw_tgz(header("a", 1)[:-1] + b"\1" + x), SOURCE, ""
    yield "PAX header of 100 MB", raw_tgz(pax([(b"comment", b"c" * 100_000_000)], header("a", 1) + x)), SOURCE, "too large"
    yield "GNU name of 100 MB", raw_tgz(header("././@LongLink", 100_000_000, b"L") + padded(b"n" * 100_000_000) +
                                        header("a", 1) + x), SOURCE, "too large"
    yield "PAX record longer than its header", raw_tgz(header("p", 20, b"x") + padded(b"999999 path=../../x\n") +
                                                       header("a", 1) + x), SOURCE, ""
    yield "PAX path that leads out", raw_tgz(pax([(b"path", b"../../../x")], header("a", 1) + x)), SOURCE, "leads out"
    yield "global PAX path", raw_tgz(header("g", 18, b"g") + padded(b"18 path=../../../x") + header("a", 1) + x), ACCEPTED, ""
    yield "PAX names that are not UTF-8", raw_tgz(pax(
        [(b"hdrcharset", b"BINARY"), (b"path", b"a\xff\xfe")], header("a", 1) + x)), SOURCE, "UTF-8"
    yield "10 GB of zeros in 10 MB", zeros_tgz(10 << 30), LIMIT, "compression ratio"


def nothing():
    """gzip within gzip, of which the inner one has 500 GB of empty blocks: none of the bytes on the way is one of a file's."""
    start = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    empty_blocks = bytes.fromhex("00 00 00 ff ff") * (1 << 20)
    head = deflate.compress(start) + deflate.flush(zlib.Z_FULL_FLUSH)
    piece = (deflate.compress(empty_blocks) + deflate.flush(zlib.Z_FULL_FLUSH)) * 1000
    return start + deflated_repeats(start + head, piece, 100, b"\x03\0") + bytes(8)


def gzip_cases():
    good = tar(entry("a", b"x"), entry("b", b"y" * 3000))
    packed = gzip.compress(good, mtime=0)
    yield "a quine", quine(), SOURCE, "could not be read"
    yield "gzip within gzip", gzip.compress(packed), SOURCE, "could not be read"
    yield "500 GB of nothing in 1 MB", nothing(), SOURCE, "could not be read"
    yield "a quine within", tgz(entry("r.gz", quine())), ACCEPTED, ""
    yield "a tar file within a tar file", tgz(entry("in.tar.gz", tgz(entry("../../x", b"x")))), ACCEPTED, ""
    yield "a byte after the end", packed + b"\0", SOURCE, "after the end"
    yield "text after the end", packed + b"garbage", SOURCE, "after the end"
    yield "two gzip files joined", packed + gzip.compress(tar(entry("c", b"z")), mtime=0), SOURCE, "after the end"
    yield "a tar file in two gzip members", gzip.compress(good[:1024]) + gzip.compress(good[1024:]), SOURCE, "joined"
    yield "a tar file after the tar file", gzip.compress(good + tar(entry("c", b"z"))), SOURCE, "after the end of the tar"
    yield "no end of the tar file", gzip.compress(padded(header("a", 1) + b"x")), SOURCE, "cut short"
    yield "a wrong check sum", packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], SOURCE, "check sum"
    yield "a wrong length", packed[:-1] + bytes([packed[-1] ^ 1]), SOURCE, "check sum"
    yield "a name that leads out, in the gzip header", \
        packed[:3] + b"\x08" + packed[4:10] + b"../../x\0" + packed[10:], ACCEPTED, ""
    yield "a reserved flag in the gzip header", packed[:3] + b"\xe0" + packed[4:], SOURCE, ""
    yield "bzip2 in the place of gzip", b"BZh91AY&SY" + bytes(50), SOURCE, "neither"


def zip_cases(escape):
    up = "../" * 12 + escape.lstrip("/")
    yield "dot-dot", zipped(("a", b"x", 0o100644), (up, b"x", 0o100644)), SOURCE, "leads out"
    yield "absolute", zipped((escape, b"x", 0o100644)), SOURCE, "absolute"
    yield "link out", zipped(("a", b"x", 0o100644), ("l", b"/etc", 0o120777)), SOURCE, "outside"
    yield "link and a file through it", zipped(("d", escape.rsplit("/", 1)[0].encode(), 0o120777), ("d/x", b"x", 0o100644)), \
        SOURCE, "twice"
    yield "link of 1 MB", zipped(("a", b"x", 0o100644), ("l", b"x/" * 500_000, 0o120777)), SOURCE, ""
    yield "a name twice", zipped(("a", b"x", 0o100644), ("a", b"y", 0o100644)), SOURCE, "twice"
    yield "another name in the directory", local_name_differs(), SOURCE, "another name"
    yield "FIFO", zipped(("a", b"x", 0o100644), ("f", b"", 0o010644)), ACCEPTED, ""
    yield "10 GB of zeros in 10 MB", zeros_zip(10 << 30), LIMIT, "compression ratio"
    yield "9,000 names of one body of 1 MB", overlap_zip(9000, 1 << 20), SOURCE, "another name"
    yield "an entry within another", zip_within_zip(), SOURCE, "share bytes"
    yield "encrypted", with_zip_fields([(8, "<H", 1)], [(6, "<H", 1)]), SOURCE, "encrypted"
    yield "another method in the directory", with_zip_fields([(10, "<H", 8)]), SOURCE, "form"
    yield "an unknown method", with_zip_fields([(10, "<H", 77)], [(8, "<H", 77)]), SOURCE, ""
    yield "a size of 4 GB", with_zip_fields([(20, "<I", 0xFFFFFFFE), (24, "<I", 0xFFFFFFFE)],
                                            [(18, "<I", 0xFFFFFFFE), (22, "<I", 0xFFFFFFFE)]), SOURCE, ""
    yield "a wrong check sum", with_zip_fields([(16, "<I", 1)], [(14, "<I", 1)]), SOURCE, ""
    yield "an entry beyond the end", with_zip_fields([(42, "<I", 0x7FFFFFFF)]), SOURCE, ""
    yield "an entry within the directory", with_zip_fields([(42, "<I", 131)]), SOURCE, ""
    good = zipped(("a", b"x", 0o100644))
    yield "text before it", b"#!/bin/sh\n" + good, SOURCE, "neither"
    yield "text after it", good + b"garbage", SOURCE, "after it"
    yield "two ZIP files joined", good + zipped(("c", b"z", 0o100644)), SOURCE, "before its first entry"
    yield "empty", zip_end(0, 0, 0), SOURCE, "no file"
    yield "more entries than there are", good[:-14] + b"\2\0\2\0" + good[-10:], SOURCE, "leads beyond its end"
    yield "a comment that is an end as well", zip_with_two_ends(), SOURCE, "joined"


def cut_cases(points):
    """The same two good archives, cut at `points` places each."""
    noise = random.Random(3).randbytes(4000)
    for name, data in (("p.tar.gz", tgz(entry("a", noise), entry("b", b"y" * 3000))),
                       ("p.zip", zipped(("a", noise, 0o100644), ("b", b"y" * 3000, 0o100644)))):
        for length in (len(data) * index // (points + 1) for index in range(1, points + 1)):
            yield f"{name} cut to {length} of {len(data)} bytes", name, data[:length], SOURCE, ""


def good_zips(folder):
    """(who writes it, ZIP file): what common programs write must not be taken for an attack. `folder` is empty."""
    files = {"p/a": b"x" * 3000, "p/\u00e9": b"", "p/b/c": b"y"}
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    out, streamed, large, many = io.BytesIO(), Unseekable(), io.BytesIO(), io.BytesIO()
    for place in (out, streamed):
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in files.items():
                archive.writestr(name, body)
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(body)
    with zipfile.ZipFile(many, "w") as archive:
        for index in range(66_000):
            archive.writestr(f"p/{index}", b"")
    yield "Python", out.getvalue()
    yield "Python, to a pipe", bytes(streamed.written)
    yield "Python, with 64-bit fields", large.getvalue()
    yield "Python, more entries than 16 bits count", many.getvalue()
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", folder]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    # With a comment, the commit's id.
    yield "git archive", subprocess.run([*git, "archive", "--format=zip", "HEAD"], check=True, capture_output=True).stdout
    yield "Info-ZIP", subprocess.run("zip -qr ../i.zip p && cat ../i.zip && rm ../i.zip", shell=True, cwd=folder, check=True,
                                     capture_output=True).stdout
    yield "Info-ZIP, to a pipe", subprocess.run(["zip", "-qr", "-", "p"], cwd=folder, check=True, capture_output=True).stdout


class Unseekable(io.RawIOBase):
    """Keeps what is written, as a pipe takes it."""

    def __init__(self):
        self.written = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.written += data
        return len(data)


def all_cases(escape):
    """(what, file name, bytes, error type, part of the error)"""
    for cases, name in (
        (itertools.chain(tar_cases(escape), size_cases(), gzip_cases()), "p.tar.gz"), (zip_cases(escape), "p.zip"),
    ):
        for what, data, kind, reason in cases:
            yield f"{name}: {what}", name, data, kind, reason
