// SPDX-License-Identifier: Apache-2.0
import ByteCoding

/// EFI programs for tests, written from their layout: they hold sections, and no code.
struct ProgramSample {
    struct Section {
        var name: String
        var content: [UInt8]
        /// In memory, where it differs from the content's.
        var size: Int?
    }

    var sections: [Section]
    var signature: [UInt8] = []
    /// Bytes that belong to nothing, after the sections.
    var rest: [UInt8] = []
    var directoryEntries = 16
    /// Bytes before the first section beyond those that there must be.
    var gap = 0

    static let alignment = 512
    static let start = 0x80

    /// As the kernel of Linux begins: an EFI program whose headers are the header of the boot protocol too.
    static func kernel(release: String = "6.12.1-test") -> [UInt8] {
        var text = ProgramSample(sections: [Section(name: ".text", content: [UInt8](repeating: 0x90, count: 600))])
            .bytes
        let header = FirmwareSample.little(UInt16(0)) + Array("HdrS".utf8) + FirmwareSample.little(UInt16(0x20F))
        text.replaceSubrange(0x200..<0x200 + header.count, with: header)
        text.replaceSubrange(0x20E..<0x210, with: FirmwareSample.little(UInt16(0x40)))
        text.replaceSubrange(0x240..<0x240 + release.utf8.count + 1, with: release.utf8 + [0x20])
        return text
    }

    static func unified(
        kernel: [UInt8] = kernel(), commandLine: [UInt8] = Array("console=ttyS0 quiet\0".utf8),
        stub: String = "252.39-1"
    ) -> ProgramSample {
        ProgramSample(sections: [
            Section(name: ".text", content: [UInt8](repeating: 0xCC, count: 100)),
            Section(name: ".sdmagic", content: Array("#### LoaderInfo: systemd-stub \(stub) ####\0".utf8)),
            Section(name: ".osrel", content: Array("ID=cupel\n".utf8)),
            Section(name: ".cmdline", content: commandLine),
            Section(name: ".uname", content: Array("6.12.1-test".utf8)),
            Section(name: ".linux", content: kernel), Section(name: ".initrd", content: Array("initrd\n".utf8)),
        ])
    }

    var bytes: [UInt8] {
        let headers = Self.padded(Self.start + 24 + 112 + 8 * directoryEntries + 40 * sections.count)
        var table: [UInt8] = []
        var body = [UInt8](repeating: 0, count: gap)
        var address = 0x1000
        for section in sections {
            let size = section.size ?? section.content.count
            let padded = Self.padded(section.content.count)
            table += section.name.utf8 + [UInt8](repeating: 0, count: max(0, 8 - section.name.utf8.count))
            for number in [size, address, padded, headers + body.count] { table += Self.little(number) }
            table += [UInt8](repeating: 0, count: 16)
            body += section.content + [UInt8](repeating: 0, count: padded - section.content.count)
            address += (size + 0xFFF) & ~0xFFF
        }
        body += rest
        let signed = (headers + body.count, signature.count)
        let head = self.head(headers, signed.1 == 0 ? (0, 0) : signed) + table
        return head + [UInt8](repeating: 0, count: headers - head.count) + body + signature
    }

    private func head(_ headers: Int, _ signed: (Int, Int)) -> [UInt8] {
        var writer = ByteWriter()
        writer.append("MZ".utf8)
        writer.zeros(58)
        writer.append(Self.little(Self.start))
        writer.zeros(Self.start - 64)
        writer.append("PE\0\0".utf8)
        writer.littleEndian(UInt16(0x8664))
        writer.littleEndian(UInt16(sections.count))
        writer.zeros(12)
        writer.littleEndian(UInt16(112 + 8 * directoryEntries))
        writer.littleEndian(UInt16(0x206))
        writer.littleEndian(UInt16(0x20B))
        writer.zeros(58)
        writer.append(Self.little(headers))
        writer.append([0xC5, 0xC5, 0xC5, 0xC5])  // CheckSum
        writer.zeros(40)
        writer.append(Self.little(directoryEntries))
        for index in 0..<directoryEntries {
            writer.append(index == 4 ? Self.little(signed.0) + Self.little(signed.1) : [UInt8](repeating: 0, count: 8))
        }
        return writer.bytes
    }

    private static func padded(_ size: Int) -> Int { (size + alignment - 1) & ~(alignment - 1) }
    private static func little(_ number: Int) -> [UInt8] { FirmwareSample.little(UInt32(truncatingIfNeeded: number)) }
}
