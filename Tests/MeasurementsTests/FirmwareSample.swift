// SPDX-License-Identifier: Apache-2.0
import ByteCoding

/// Firmware with the tables by which OVMF says how it is launched, and no code; byte for byte what
/// `Tests/EndToEnd/guest_firmware.py` makes.
struct FirmwareSample {
    struct Entry {
        let guid: [UInt8]
        var content: [UInt8]
    }

    /// Address, size and type; as the AmdSev build of OVMF has them.
    static let snpSections: [[UInt32]] = [
        [0x800000, 0x9000, 1], [0x80A000, 0x3000, 1], [0x80D000, 0x1000, 2], [0x80E000, 0x1000, 3],
        [0x80F000, 0x1000, 4], [0x811000, 0xF000, 1], [0x810000, 0x1000, 0x10],
    ]
    /// DataOffset, RawDataSize, MemoryAddress, MemoryDataSize, Type, Attributes.
    static let tdxSections: [[UInt64]] = [
        [0x4000, 0xC000, 0xFFFF_4000, 0xC000, 0, 1], [0, 0x4000, 0xFFFF_0000, 0x4000, 1, 0],
        [0, 0, 0x81_0000, 0x2000, 3, 0], [0, 0, 0x80_9000, 0x2000, 2, 0], [0x1000, 0x1000, 0x90_0000, 0x1000, 4, 1],
        [0, 0, 0x100_0000, 0x10000, 4, 2],
    ]

    var pages = 16
    var sections: [[UInt32]]? = snpSections
    var tdx: [[UInt64]]?
    var reset: UInt32? = 0x80B004
    var table: UInt32? = 0x810C00
    /// Of the metadata's header: length and version where they differ from what they should be.
    var metadataLength: UInt32?
    var metadataVersion: UInt32 = 1

    static let tdx = FirmwareSample(sections: nil, tdx: tdxSections, reset: nil, table: nil)

    static let footer: [UInt8] = [
        0xDE, 0x82, 0xB5, 0x96, 0xB2, 0x1F, 0xF7, 0x45, 0xBA, 0xEA, 0xA3, 0x66, 0xC5, 0x5A, 0x08, 0x2D,
    ]
    static let resetBlock: [UInt8] = [
        0xDE, 0x71, 0xF7, 0x00, 0x7E, 0x1A, 0xCB, 0x4F, 0x89, 0x0E, 0x68, 0xC7, 0x7E, 0x2F, 0xB4, 0x4E,
    ]
    static let hashTable: [UInt8] = [
        0x1F, 0x37, 0x55, 0x72, 0x3B, 0x3A, 0x04, 0x4B, 0x92, 0x7B, 0x1D, 0xA6, 0xEF, 0xA8, 0xD4, 0x54,
    ]
    static let snpMetadata: [UInt8] = [
        0x66, 0x65, 0x88, 0xDC, 0x4A, 0x98, 0x98, 0x47, 0xA7, 0x5E, 0x55, 0x85, 0xA7, 0xBF, 0x67, 0xCC,
    ]
    static let tdxMetadata: [UInt8] = [
        0x35, 0x65, 0x7A, 0xE4, 0x4A, 0x98, 0x98, 0x47, 0x86, 0x5E, 0x46, 0x85, 0xA7, 0xBF, 0x8E, 0xC2,
    ]

    var entries: [Entry] {
        var entries: [Entry] = []
        if sections != nil { entries.append(Entry(guid: Self.snpMetadata, content: Self.little(UInt32(2048)))) }
        if tdx != nil { entries.append(Entry(guid: Self.tdxMetadata, content: Self.little(UInt32(1024)))) }
        if let table {
            entries.append(Entry(guid: Self.hashTable, content: Self.little(table) + Self.little(UInt32(1024))))
        }
        if let reset { entries.append(Entry(guid: Self.resetBlock, content: Self.little(reset))) }
        return entries
    }

    var bytes: [UInt8] { bytes(entries) }

    func bytes(_ entries: [Entry]) -> [UInt8] {
        let size = pages * 4096
        var body = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 4096 * 7 + $0 % 251) }
        for index in 3 * 4096..<6 * 4096 { body[index] = 0xFF }
        if let sections {
            put(header("ASEV", sections.count, 12) + sections.flatMap { $0.flatMap(Self.little) }, size - 2048, &body)
        }
        if let tdx { put(header("TDVF", tdx.count, 32) + tdx.flatMap(Self.tdxSection), size - 1024, &body) }
        var table = entries.flatMap {
            $0.content + Self.little(UInt16(truncatingIfNeeded: $0.content.count + 18)) + $0.guid
        }
        table += Self.little(UInt16(truncatingIfNeeded: table.count + 18)) + Self.footer
        put(table, size - 32 - table.count, &body)
        return body
    }

    private func header(_ signature: String, _ count: Int, _ size: Int) -> [UInt8] {
        let length = metadataLength ?? UInt32(16 + count * size)
        return signature.utf8 + Self.little(length) + Self.little(metadataVersion) + Self.little(UInt32(count))
    }

    private static func tdxSection(_ fields: [UInt64]) -> [UInt8] {
        little(UInt32(fields[0])) + little(UInt32(fields[1])) + little(fields[2]) + little(fields[3])
            + little(UInt32(fields[4])) + little(UInt32(fields[5]))
    }

    private func put(_ part: [UInt8], _ offset: Int, _ body: inout [UInt8]) {
        body.replaceSubrange(offset..<offset + part.count, with: part)
    }

    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(value)
        return writer.bytes
    }
}
