// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Archives of every kind, good and hostile, made once by Python's own tar and ZIP writers.
enum MadeArchives {
    static func path(_ name: String) throws -> String {
        let path = try made.get() + "/" + name
        try #require(FileManager.default.fileExists(atPath: path), "no archive of this name is made")
        return path
    }

    /// Where the hostile ones try to write.
    static let escapePath = NSTemporaryDirectory() + "/escaped-" + UUID().uuidString

    private static let folder = NSTemporaryDirectory() + "/made-archives-" + UUID().uuidString

    private static let made = Result { () throws -> String in
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: MadeArchives.folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script, folder, escapePath]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        return folder
    }

    private static let script = #"""
        import bz2, gzip, io, lzma, os, sys, tarfile, warnings, zipfile
        warnings.simplefilter("ignore")
        out, escape = sys.argv[1], sys.argv[2]
        def save(name, data):
            with open(os.path.join(out, name), "wb") as f: f.write(data)
        def entry(name, kind=tarfile.REGTYPE, data=b"", mode=0o644, target="", **more):
            i = tarfile.TarInfo(name)
            i.type, i.mode, i.linkname, i.size = kind, mode, target, len(data)
            for key, value in more.items(): setattr(i, key, value)
            return i, data
        def tar(*entries, format=tarfile.PAX_FORMAT):
            f = io.BytesIO()
            with tarfile.open(fileobj=f, mode="w", format=format) as t:
                for i, data in entries: t.addfile(i, io.BytesIO(data))
            return f.getvalue()
        def gz(data): return gzip.compress(data, mtime=0)
        def zipped(*entries, method=zipfile.ZIP_DEFLATED):
            f = io.BytesIO()
            with zipfile.ZipFile(f, "w", method) as z:
                for name, data, mode in entries:
                    i = zipfile.ZipInfo(name)
                    i.external_attr, i.compress_type = mode << 16, method
                    z.writestr(i, data)
            return f.getvalue()
        SYM, LNK, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
        plain = [entry("p/", DIR), entry("p/run.sh", data=b"#!", mode=0o4755), entry("p/a.txt", data=b"A"),
                 entry("p/l", SYM, target="sub/../a.txt"), entry("p/h", LNK, target="p/run.sh"),
                 entry("p/s\u00e9\u4e2d", data=b"U"), entry("p/sub/deep", data=b"D", mode=0o600)]
        good = tar(*plain)
        save("good.tar.gz", gz(good))
        save("gnu.tar.gz", gz(tar(*plain, format=tarfile.GNU_FORMAT)))
        save("dotted.tar.gz", gz(tar(entry("./", DIR), entry("./a", data=b"A"), entry("./b//c/./d", data=b"D"))))
        save("case.tar.gz", gz(tar(entry("a", data=b"1"), entry("A", data=b"2"))))
        save("unicode.tar.gz", gz(tar(entry("\u00e9", data=b"3"), entry("e\u0301", data=b"4"))))
        save("good.zip", zipped(("p/run.sh", "#!", 0o104755), ("p/a.txt", "A", 0o100644), ("p/l", "a.txt", 0o120777),
                                ("p/empty/", "", 0o040755), ("p/s\u00e9", "U", 0o100600)))
        save("stored.zip", zipped(("a", "A", 0), method=zipfile.ZIP_STORED))
        # Names and links that lead out.
        up = "../" * 12 + escape.lstrip("/")
        save("traversal.tar.gz", gz(tar(entry("a/../" + up, data=b"x"))))
        save("traversal.zip", zipped((up, "x", 0o100644)))
        save("absolute.tar.gz", gz(tar(entry(escape, data=b"x"))))
        save("absolute.zip", zipped((escape, "x", 0o100644)))
        save("dotdot-last.tar.gz", gz(tar(entry("a/..", data=b"x"))))
        folder = os.path.dirname(escape)
        save("link-out.tar.gz", gz(tar(entry("a", data=b"x"), entry("out", SYM, target=folder))))
        save("link-out.zip", zipped(("a", "x", 0o100644), ("out", "/etc", 0o120777)))
        save("link-up.tar.gz", gz(tar(entry("a", data=b"x"), entry("b/out", SYM, target="../../x"))))
        save("link-by-link.tar.gz", gz(tar(entry("p/q/a", data=b"x"), entry("p/q/up", SYM, target="../.."),
                                           entry("p/q/out", SYM, target="up/../etc"))))
        save("link-loop.tar.gz", gz(tar(entry("a", data=b"x"), entry("l", SYM, target="m"), entry("m", SYM, target="l"))))
        name = os.path.basename(escape)
        save("through-link.tar.gz", gz(tar(entry("d", SYM, target=folder), entry("d/" + name, data=b"x"))))
        save("through-inner-link.tar.gz", gz(tar(entry("r/a", data=b"x"), entry("d", SYM, target="r"),
                                                 entry("d/b", data=b"x"))))
        save("over-link.tar.gz", gz(tar(entry("l", SYM, target="m"), entry("l", data=b"x"))))
        save("hardlink-out.tar.gz", gz(tar(entry("a", data=b"x"), entry("h", LNK, target="/etc/passwd"))))
        save("hardlink-up.tar.gz", gz(tar(entry("a", data=b"x"), entry("h", LNK, target="../../etc/passwd"))))
        save("hardlink-nowhere.tar.gz", gz(tar(entry("a", data=b"x"), entry("h", LNK, target="later"))))
        save("hardlink-to-link.tar.gz", gz(tar(entry("l", SYM, target="a"), entry("a", data=b"x"),
                                               entry("h", LNK, target="l"))))
        # Things that are no source.
        save("device.tar.gz", gz(tar(entry("a", data=b"x"), entry("d", tarfile.CHRTYPE, devmajor=1, devminor=3))))
        save("block.tar.gz", gz(tar(entry("a", data=b"x"), entry("d", tarfile.BLKTYPE))))
        save("fifo.tar.gz", gz(tar(entry("a", data=b"x"), entry("d", tarfile.FIFOTYPE))))
        save("fifo.zip", zipped(("a", "x", 0o100644), ("f", "", 0o010644)))
        save("twice.tar.gz", gz(tar(entry("a", data=b"1"), entry("./a", data=b"2"))))
        save("twice.zip", zipped(("a", "1", 0o100644), ("a", "2", 0o100644)))
        save("file-as-folder.tar.gz", gz(tar(entry("a", data=b"1"), entry("a/b", data=b"2"))))
        save("folder-as-file.tar.gz", gz(tar(entry("a/b", data=b"1"), entry("a", data=b"2"))))
        save("not-utf8.tar.gz", gz(tar(entry("a\udce9", data=b"x"), format=tarfile.GNU_FORMAT)))
        save("not-utf8-link.tar.gz", gz(tar(entry("a", data=b"x"), entry("l", SYM, target="\udce9"),
                                            format=tarfile.GNU_FORMAT)))
        raw = bytearray(zipped(("aXb", "x", 0o100644)))
        save("not-utf8.zip", bytes(raw).replace(b"aXb", b"a\xe9b"))
        locked = bytearray(zipped(("a", "x" * 20, 0o100644)))
        locked[6] |= 1; locked[locked.index(b"PK\x01\x02") + 8] |= 1
        save("encrypted.zip", bytes(locked))
        save("empty.zip", b"PK\x05\x06" + bytes(18))
        save("empty.tar.gz", gz(tar()))
        save("folders-only.tar.gz", gz(tar(entry("a/", DIR))))
        save("nothing", b"")
        save("text", b"hello, this is no archive at all\n")
        save("plain.tar", good)
        save("gzipped-text.gz", gz(b"hello, this is no tar file at all\n" * 100))
        save("good.tar.bz2", bz2.compress(good))
        save("good.tar.xz", lzma.compress(good))
        # Damaged, cut and joined files.
        save("trailing-byte.tar.gz", gz(good) + b"\0")
        save("trailing-text.tar.gz", gz(good) + b"garbage")
        save("joined.tar.gz", gz(good) + gz(tar(entry("other", data=b"x"))))
        save("split.tar.gz", gz(good[:1024]) + gz(good[1024:]))
        save("tar-after-tar.tar.gz", gz(good + tar(entry("other", data=b"x"))))
        save("text-after-tar.tar.gz", gz(good + b"x" * 512 + bytes(1024)))
        save("cut-tar.tar.gz", gz(tar(entry("a", data=b"x" * 5000))[:2048]))
        save("no-end.tar.gz", gz(tar(entry("a", data=b"x" * 512))[:1024]))
        bad = bytearray(gz(good)); bad[-8] ^= 1
        save("wrong-crc.tar.gz", bytes(bad))
        bad = bytearray(gz(good)); bad[-1] ^= 1
        save("wrong-length.tar.gz", bytes(bad))
        z = zipped(("a", "b" * 1000, 0o100644))
        save("cut.zip", z[:-30])
        save("trailing.zip", z + b"garbage")
        save("joined.zip", z + zipped(("c", "d", 0o100644)) + b"x")
        bad = bytearray(zipped(("a", "hello" * 9, 0o100644), method=zipfile.ZIP_STORED)); bad[40] ^= 1
        save("wrong-crc.zip", bytes(bad))
        # Sizes.
        save("bomb.tar.gz", gz(tar(entry("zeros", data=bytes(64 << 20)))))
        save("bomb.zip", zipped(*[("zeros%d" % i, bytes(8 << 20), 0o100644) for i in range(8)]))
        sparse = entry("sparse", data=(b"1\n%d\n1\n" % ((1 << 40) - 1)).ljust(512, b"\0") + b"x",
            pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse",
                         "GNU.sparse.realsize": str(1 << 40)})
        save("sparse.tar.gz", gz(tar(sparse)))
        lie = tar(entry("a", data=b"x", pax_headers={"size": "9000000000"}))
        save("size-lie.tar.gz", gz(lie))
        negative = bytearray(tar(entry("a", data=b"x"), format=tarfile.USTAR_FORMAT))
        negative[124:136] = b"\xff" * 11 + b"\xf0"
        negative[148:156] = b"        "
        negative[148:156] = b"%06o\0 " % sum(negative[:512])
        save("negative-size.tar.gz", gz(bytes(negative)))
        save("many.tar.gz", gz(tar(*[entry("f%d" % i, data=b"x") for i in range(300)])))
        save("many.zip", zipped(*[("f%d" % i, "x", 0o100644) for i in range(300)]))
        save("deep.tar.gz", gz(tar(entry("d/" * 200 + "f", data=b"x"))))
        save("deep-folders.tar.gz", gz(tar(entry("a", data=b"x"), *[entry("d/" * n, DIR) for n in (50, 250)])))
        save("long-name.tar.gz", gz(tar(entry("n/" * 10 + "x" * 200 + "/" + "y" * 200, data=b"x"))))
        save("4k-deep.tar.gz", gz(tar(entry("d/" * 4000 + "f", data=b"x"))))
        """#
}
