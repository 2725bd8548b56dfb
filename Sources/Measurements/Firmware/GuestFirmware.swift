// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A firmware volume of OVMF (edk2, `OvmfPkg/ResetVector`), which ends where the first 4 GiB of the guest end.
///
/// A table of entries with GUIDs stands before its last 32 bytes. It is read from its end: each entry is its content,
/// the entry's whole size (2 bytes) and its GUID (16); the last one is the table's own.
public struct GuestFirmware: Sendable {
    /// Bytes; larger firmware is refused.
    public static let maximumSize = 64 << 20
    static let pageSize = 4096

    public let bytes: [UInt8]
    private let entries: [FirmwareGUID: [UInt8]]

    private static let footer = FirmwareGUID(0x96b5_82de, 0x1fb2, 0x45f7, 0xbaea_a366_c55a_082d)
    private static let headSize = 18
    /// From the table's end to the firmware's.
    private static let afterTable = 32

    /// Throws where there is no table, where its entries do not fill it, and where a GUID stands in it twice.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        guard !bytes.isEmpty, bytes.count.isMultiple(of: Self.pageSize), bytes.count <= Self.maximumSize else {
            throw Self.malformed(
                "", 0, "\(bytes.count) bytes, expected whole pages of 4096, and at most \(Self.maximumSize)")
        }
        self.bytes = bytes
        let end = bytes.count - Self.afterTable
        guard Array(bytes[end - 16..<end]) == Self.footer.bytes else {
            throw Self.malformed("table", end - 16, "not the GUID at which OVMF's table ends: is this OVMF?")
        }
        let size = Self.uint16(bytes, end - Self.headSize)
        guard (Self.headSize...end).contains(size) else {
            throw Self.malformed("table", end - Self.headSize, "a size of \(size) bytes")
        }
        entries = try Self.entries(bytes, from: end - size, to: end - Self.headSize)
    }

    private static func entries(
        _ bytes: [UInt8], from start: Int, to end: Int
    ) throws(MalformedBytes) -> [FirmwareGUID: [UInt8]] {
        var entries: [FirmwareGUID: [UInt8]] = [:]
        var end = end
        while end > start {
            guard end - start >= headSize else { throw malformed("table", start, "\(end - start) bytes of no entry") }
            let size = uint16(bytes, end - headSize)
            guard (headSize...end - start).contains(size) else {
                throw malformed("table", end - headSize, "an entry of \(size) bytes where \(end - start) are left")
            }
            let guid = FirmwareGUID(Array(bytes[end - 16..<end]))
            let content = Array(bytes[end - size..<end - headSize])
            guard entries.updateValue(content, forKey: guid) == nil else {
                throw malformed("table", end - 16, "two entries of one GUID")
            }
            end -= size
        }
        return entries
    }

    /// An entry's content; `nil` where there is none.
    func entry(_ guid: FirmwareGUID) -> [UInt8]? { entries[guid] }

    /// The metadata that an entry points to: its content is the distance of the metadata from the firmware's end.
    ///
    /// | offset | size | field | meaning |
    /// |---|---|---|---|
    /// | 0 | 4 | signature | |
    /// | 4 | 4 | length | of all, this header included |
    /// | 8 | 4 | version | 1 |
    /// | 12 | 4 | count | of sections |
    ///
    /// - Returns: a cursor at the first section, and how many there are; `nil` where there is no such entry.
    func metadata(
        _ guid: FirmwareGUID, signature: String, sectionSize: Int
    ) throws(MalformedBytes) -> (cursor: ByteCursor, count: Int)? {
        guard let pointer = entries[guid] else { return nil }
        guard pointer.count == 4 else {
            throw Self.malformed(signature, 0, "a pointer of \(pointer.count) bytes, expected 4")
        }
        let distance = Self.uint16(pointer, 0) | Self.uint16(pointer, 2) << 16
        guard (16...bytes.count).contains(distance) else {
            throw Self.malformed(signature, 0, "the metadata lie \(distance) bytes before the end")
        }
        let start = bytes.count - distance
        var cursor = ByteCursor(Array(bytes[start...]), format: "firmware metadata \(signature)")
        guard try cursor.bytes(0, 4, "signature") == Array(signature.utf8) else {
            throw Self.malformed(signature, start, "another signature")
        }
        let length = Int(try cursor.uint32(4, "length"))
        let version = try cursor.uint32(8, "version")
        guard version == 1 else { throw cursor.malformed("version", "\(version), only 1 is known") }
        let count = Int(try cursor.uint32(12, "count"))
        guard (1...Self.maximumSections).contains(count), length == 16 + count * sectionSize else {
            throw cursor.malformed("count", "\(count) sections in \(length) bytes")
        }
        return (cursor, count)
    }

    /// More sections are refused.
    private static let maximumSections = 256

    static func malformed(_ field: String, _ offset: Int, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "firmware", field: field, offset: offset, reason: reason)
    }

    private static func uint16(_ bytes: [UInt8], _ offset: Int) -> Int {
        Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
    }
}
