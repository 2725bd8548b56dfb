// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The certificates that a host hands to its guests beside a report: the table of the extended guest request and of
/// configfs-tsm's `auxblob` (AMD 56421, GHCB specification, CERT_TABLE).
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 24 n | 16 | GUID | what the entry is; all zero ends the table |
/// | 24 n + 16 | 4 | offset | of the content, from the table's start, little-endian |
/// | 24 n + 20 | 4 | length | of the content, little-endian |
public struct SNPCertificateTable: Hashable, Sendable {
    /// More entries are refused: the specification names six kinds.
    public static let maximumEntries = 32

    public struct Entry: Hashable, Sendable {
        /// 16 bytes, in the table's order.
        public let guid: [UInt8]
        public let offset: UInt32
        public let content: [UInt8]

        public init(guid: [UInt8], offset: UInt32, content: [UInt8]) {
            self.guid = guid
            self.offset = offset
            self.content = content
        }
    }

    /// What an entry is, by its GUID in the table's byte order.
    public enum Kind: String, CaseIterable, Sendable {
        case vcek = "63da758de6644564adc5f4b93be8accd"
        case vlek = "a8074bc2a25a483eaae639c045a0b8a1"
        case ask = "4ab7b379bbac4fe4a02f05aef327c782"
        case ark = "c0b406a4a803495297433fb6014cd0ae"
        case crl = "92f81bc358114d3d97ffd19f88dc67ea"
    }

    public let entries: [Entry]

    public init(entries: [Entry]) { self.entries = entries }

    /// Throws at a table without its end, content outside the bytes or within the table, and a GUID that stands twice.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: Self.format)
        var rows: [(guid: [UInt8], offset: UInt32, length: UInt32)] = []
        while true {
            let guid = try cursor.bytes(16, "GUID")
            if guid.allSatisfy({ $0 == 0 }) { break }
            guard rows.count < Self.maximumEntries else { throw cursor.malformed("GUID", "too many entries") }
            guard !rows.contains(where: { $0.guid == guid }) else { throw cursor.malformed("GUID", "stands twice") }
            rows.append((guid, try cursor.uint32("offset"), try cursor.uint32("length")))
        }
        _ = try cursor.bytes(8, "offset and length of the end")
        var entries: [Entry] = []
        for row in rows {
            let (end, overflow) = Int(row.offset).addingReportingOverflow(Int(row.length))
            guard !overflow, Int(row.offset) >= cursor.offset, end <= bytes.count else {
                throw MalformedBytes(
                    format: Self.format, field: "offset", offset: Int(row.offset),
                    reason: "\(row.length) bytes that are not within \(cursor.offset)..<\(bytes.count)")
            }
            entries.append(Entry(guid: row.guid, offset: row.offset, content: Array(bytes[Int(row.offset)..<end])))
        }
        self.init(entries: entries)
    }

    /// The content of the entry of a kind, if there is one.
    public func content(_ kind: Kind) -> [UInt8]? { entries.first { Hex.encode($0.guid) == kind.rawValue }?.content }

    private static let format = "SNP certificate table"
}
