// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Machines
import Testing

@Suite struct ImagePartsTests {
    @Test func commandLineNamesTheRoot() {
        let hash = Digest256(of: [])
        let line = ImageFormat.commandLine(rootHash: hash, hashOffset: 8192, appended: "")
        #expect(line.hasSuffix(" cupel.roothash=\(hash.hex) cupel.hashoffset=8192"))
        #expect(ImageFormat.commandLine(rootHash: hash, hashOffset: 8192, appended: "a b") == line + " a b")
    }

    @Test func modulesAreLoadedOnceAndInOrder() throws {
        var modules = KernelModules()
        try modules.add(dependencies: "builtin virtio\ninsmod /k/dm-mod.ko.xz \ninsmod /k k/dm-verity.ko.xz \n")
        try modules.add(dependencies: "insmod /k/dm-mod.ko.xz \ninsmod /k/dm-crypt.ko \n")
        #expect(modules.files == ["/k/dm-mod.ko.xz", "/k k/dm-verity.ko.xz", "/k/dm-crypt.ko"])
    }

    @Test(arguments: ["install /bin/sh", "insmod", "insmod /a.ko option=1"])
    func whatIsNoModuleIsRefused(_ line: String) {
        var modules = KernelModules()
        #expect(throws: ImageError.self) { try modules.add(dependencies: line) }
    }

    @Test func modulesAreDecompressed() {
        #expect(KernelModules.plainName("/k/erofs.ko").name == "erofs.ko")
        #expect(KernelModules.plainName("/k/erofs.ko").decompressor == nil)
        #expect(KernelModules.plainName("/k/erofs.ko.xz").name == "erofs.ko")
        #expect(KernelModules.plainName("/k/erofs.ko.xz").decompressor == ["xz", "-d", "-c", "/k/erofs.ko.xz"])
    }

    @Test func foldersMayHaveAnyName() {
        #expect(RootTree.escaped("/var/tmp/a-b_c.d") == "/var/tmp/a-b_c.d")
        #expect(RootTree.escaped("/a b%é") == "/a%20b%25%c3%a9")
    }

    /// Lines of glibc 2.36.
    private static let loader = """
        \tlinux-vdso.so.1 (0x00007f0367de9000)
        \tlibdevmapper.so.1.02.1 => /lib/x86_64-linux-gnu/libdevmapper.so.1.02.1 (0x00007f0367d45000)
        \tlibother.so.1 => not found
        \t/lib64/ld-linux-x86-64.so.2 (0x00007f0367deb000)
        """

    @Test func librariesAreThoseThatTheLoaderNames() {
        #expect(
            GuestContents.libraries(Self.loader) == [
                "/lib/x86_64-linux-gnu/libdevmapper.so.1.02.1", "/lib64/ld-linux-x86-64.so.2",
            ])
        #expect(GuestContents.missing(Self.loader) == ["libother.so.1"])
    }
}

@Suite struct CPIOArchiveTests {
    private static func archive(_ paths: [String]) -> CPIOArchive {
        var archive = CPIOArchive()
        for path in paths { archive.add(path, .file(Array(path.utf8), executable: path.hasSuffix("sh"))) }
        return archive
    }

    @Test func foldersStandBeforeWhatIsInThem() {
        #expect(Self.archive(["sbin/b", "bin/sh", "sbin-x"]).paths == ["bin", "bin/sh", "sbin", "sbin-x", "sbin/b"])
    }

    @Test func orderOfAddingDecidesNothing() {
        let paths = ["a/b/c", "a/b.sh", "init", "z"]
        #expect(Self.archive(paths).bytes(time: 7) == Self.archive(paths.reversed()).bytes(time: 7))
    }

    /// cpio(1) reads it, and finds what was put in.
    @Test func isReadByCpio() throws {
        let folder = try ImageTestFolder()
        var archive = Self.archive(["bin/a.sh", "etc/text"])
        archive.add("bin/link", .link(to: "a.sh"))
        try folder.write(archive.bytes(time: 1_767_225_600), "archive")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["cpio", "-itv", "--numeric-uid-gid", "--quiet", "-F", "\(folder.path)/archive"]
        process.environment = ["PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(
            lines.map { [$0[0], $0[2], $0[3], $0[4]] + $0[8...] } == [
                ["drwxr-xr-x", "0", "0", "0", "bin"], ["-rwxr-xr-x", "0", "0", "8", "bin/a.sh"],
                ["lrwxrwxrwx", "0", "0", "4", "bin/link", "->", "a.sh"], ["drwxr-xr-x", "0", "0", "0", "etc"],
                ["-rw-r--r--", "0", "0", "8", "etc/text"],
            ])
        #expect(lines.allSatisfy { $0[5...7] == ["Jan", "1", "2026"] })
    }
}

@Suite struct EFIProgramTests {
    /// A program with two sections, aligned to 4096.
    private static func program(alignment: UInt32 = 4096) -> [UInt8] {
        var writer = ByteWriter()
        writer.append("MZ".utf8)
        writer.zeros(58)
        writer.littleEndian(UInt32(64))
        writer.append("PE\0\0".utf8)
        writer.littleEndian(UInt16(0x8664))
        writer.littleEndian(UInt16(2))
        writer.littleEndian(UInt32(0x1234_5678))
        writer.zeros(8)
        writer.littleEndian(UInt16(112))
        writer.zeros(2)
        writer.littleEndian(UInt16(0x20B))
        writer.zeros(22)
        writer.littleEndian(UInt64(0x10000))
        writer.littleEndian(alignment)
        writer.littleEndian(UInt32(512))
        writer.zeros(20)
        writer.littleEndian(UInt32(512))
        writer.littleEndian(UInt32(0x9ABC_DEF0))
        writer.zeros(44)
        for (name, size, address, place) in [(".text", 100, 4096, 512), (".data", 4097, 8192, 1024)] {
            writer.append(name.utf8)
            writer.zeros(8 - name.utf8.count)
            for field in [size, address, 512, place] { writer.littleEndian(UInt32(field)) }
            writer.zeros(16)
        }
        writer.zeros(1536 - writer.bytes.count)
        return writer.bytes
    }

    @Test func saysWhereSectionsMayBeAdded() throws {
        let program = try EFIProgram(Self.program())
        #expect(program.base == 0x10000)
        #expect(program.alignment == 4096)
        #expect(program.end == 8192 + 4097)
    }

    @Test func sectionsFollowEachOther() throws {
        let sections: [KernelSections.Section] = [
            .init(name: ".osrel", file: "/a", size: 1), .init(name: ".linux", file: "/b", size: 4096),
            .init(name: ".initrd", file: "/c", size: 9),
        ]
        #expect(
            KernelSections.arguments(adding: sections, to: try EFIProgram(Self.program())) == [
                "--add-section", ".osrel=/a", "--change-section-vma", ".osrel=0x14000",
                "--add-section", ".linux=/b", "--change-section-vma", ".linux=0x15000",
                "--add-section", ".initrd=/c", "--change-section-vma", ".initrd=0x16000",
            ])
    }

    @Test func losesItsTimeAndNothingElse() throws {
        let before = Self.program()
        var program = try EFIProgram(before)
        program.removeTime()
        let changed = before.indices.filter { before[$0] != program.bytes[$0] }
        #expect(changed == Array(72..<76) + Array(152..<156))
        #expect(changed.allSatisfy { program.bytes[$0] == 0 })
    }

    @Test(arguments: [0, 3, 256] as [UInt32]) func needsAnAlignment(_ alignment: UInt32) {
        #expect(throws: MalformedBytes.self) { try EFIProgram(Self.program(alignment: alignment)) }
    }

    @Test func isNoneWhereItBreaksOff() {
        let whole = Self.program()
        for length in 0..<whole.count {
            #expect(throws: MalformedBytes.self) { try EFIProgram(Array(whole.prefix(length))) }
        }
    }

    @Test func commandLineEndsWithAZero() {
        #expect(KernelSections.commandLineBytes("a b") == Array("a b\0".utf8))
    }
}
