// SPDX-License-Identifier: Apache-2.0
import ByteCoding

/// IGVM files for tests, written from the structures of `igvm_defs`.
struct IGVMSample {
    struct Structure {
        let type: UInt32
        var content: [UInt8]
        /// In the file, after the headers; bytes 12 to 15 of the structure say where.
        var data: [UInt8]?
        /// Where the structure says that it is, instead of where it is.
        var offset: Int?
    }

    var structures: [Structure] = []

    mutating func add(_ type: UInt32, _ content: [UInt8], data: [UInt8]? = nil) {
        structures.append(Structure(type: type, content: content, data: data))
    }

    mutating func platform(_ platform: UInt8 = 2) {
        add(1, [1, 0, 0, 0, 0, platform, 1, 0] + [UInt8](repeating: 0, count: 8))
    }

    mutating func page(
        _ address: UInt64, content: [UInt8]?, flags: UInt32 = 0, type: UInt16 = 0, mask: UInt32 = 1
    ) {
        let head = Self.little(address) + Self.little(mask) + [0, 0, 0, 0]
        add(0x302, head + Self.little(flags) + Self.little(type) + [0, 0], data: content)
    }

    mutating func insert(_ address: UInt64, area: UInt32, at place: Int? = nil) {
        let content = Self.little(address) + Self.little(UInt32(1)) + Self.little(area)
        structures.insert(Structure(type: 0x303, content: content), at: place ?? structures.count)
    }

    mutating func context(content: [UInt8]) {
        add(
            0x304, Self.little(UInt64(0xFFFF_FFFF_F000)) + Self.little(UInt32(1)) + [0, 0, 0, 0, 0, 0, 0, 0],
            data: content)
    }

    mutating func idBlock(_ digest: [UInt8], mask: UInt32 = 1) {
        add(0x30B, Self.little(mask) + [0, 0, 0, 0] + digest + [UInt8](repeating: 0, count: 648))
    }

    func bytes(
        version: UInt32 = 1, pageSize: UInt32 = 4096, architecture: UInt32 = 0, padding: UInt8 = 0
    ) -> [UInt8] {
        let start = version == 1 ? 24 : 32
        let sizes = structures.map { 8 + ($0.content.count + 7) & ~7 }
        let headersEnd = start + sizes.reduce(0, +)
        var header: [UInt8] = []
        var data: [UInt8] = []
        for structure in structures {
            var content = structure.content
            if let bytes = structure.data {
                let place = structure.offset ?? headersEnd + data.count
                content.replaceSubrange(12..<16, with: Self.little(UInt32(place)))
                data += bytes
            }
            let fill = [UInt8](repeating: padding, count: -content.count & 7)
            header += Self.little(structure.type) + Self.little(UInt32(content.count)) + content + fill
        }
        func head(_ checksum: UInt32) -> [UInt8] {
            let total = UInt32(headersEnd + data.count)
            let fixed = [version, UInt32(start), UInt32(header.count), total, checksum].flatMap(Self.little)
            return "IGVM".utf8 + fixed + (version == 1 ? [] : Self.little(architecture) + Self.little(pageSize))
        }
        return head(Self.checksum(head(0) + header)) + header + data
    }

    static func little(_ value: some FixedWidthInteger) -> [UInt8] { FirmwareSample.little(value) }

    /// CRC-32, by a table.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let table: [UInt32] = (0..<256).map { (byte: UInt32) in
            (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
        }
        var sum = UInt32.max
        for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ (sum >> 8) }
        return ~sum
    }
}
