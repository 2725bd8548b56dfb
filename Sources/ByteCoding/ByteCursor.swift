// SPDX-License-Identifier: Apache-2.0

/// Reads a binary format from front to back. Each read restates the manual's offset and field name; a restated offset
/// that is not where the cursor stands is our own bug and traps, so that a decoder is its layout table.
///
/// Too little input throws; nothing is ever read past the end.
public struct ByteCursor: Sendable {
    private let bytes: [UInt8]
    private let format: String
    /// Bytes read so far.
    public private(set) var offset = 0

    public init(_ bytes: [UInt8], format: String) {
        self.bytes = bytes
        self.format = format
    }

    /// Bytes not yet read.
    public var remaining: Int { bytes.count - offset }

    public mutating func bytes(_ at: Int, _ count: Int, _ field: String) throws(MalformedBytes) -> [UInt8] {
        precondition(at == offset, "\(format) \(field): the decoder says offset \(at), the cursor stands at \(offset)")
        return try bytes(count, field)
    }

    /// The next `count` bytes, for formats whose fields have no fixed offset.
    public mutating func bytes(_ count: Int, _ field: String) throws(MalformedBytes) -> [UInt8] {
        guard count >= 0, count <= remaining else {
            throw malformed(field, "\(count) bytes needed, \(remaining) left")
        }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    public mutating func uint8(_ at: Int, _ field: String) throws(MalformedBytes) -> UInt8 {
        try bytes(at, 1, field)[0]
    }

    /// Little-endian.
    public mutating func uint16(_ at: Int, _ field: String) throws(MalformedBytes) -> UInt16 {
        UInt16(truncatingIfNeeded: Self.littleEndian(try bytes(at, 2, field)))
    }

    /// Little-endian.
    public mutating func uint32(_ at: Int, _ field: String) throws(MalformedBytes) -> UInt32 {
        UInt32(truncatingIfNeeded: Self.littleEndian(try bytes(at, 4, field)))
    }

    /// Little-endian.
    public mutating func uint64(_ at: Int, _ field: String) throws(MalformedBytes) -> UInt64 {
        Self.littleEndian(try bytes(at, 8, field))
    }

    /// Little-endian, at a place that the format does not fix.
    public mutating func uint16(_ field: String) throws(MalformedBytes) -> UInt16 {
        UInt16(truncatingIfNeeded: Self.littleEndian(try bytes(2, field)))
    }

    /// Little-endian, at a place that the format does not fix.
    public mutating func uint32(_ field: String) throws(MalformedBytes) -> UInt32 {
        UInt32(truncatingIfNeeded: Self.littleEndian(try bytes(4, field)))
    }

    public mutating func uint8(_ field: String) throws(MalformedBytes) -> UInt8 {
        try bytes(1, field)[0]
    }

    /// Big-endian, at a place that the format does not fix.
    public mutating func bigEndianUInt16(_ field: String) throws(MalformedBytes) -> UInt16 {
        UInt16(truncatingIfNeeded: Self.littleEndian(try bytes(2, field).reversed()))
    }

    /// Big-endian, at a place that the format does not fix.
    public mutating func bigEndianUInt32(_ field: String) throws(MalformedBytes) -> UInt32 {
        UInt32(truncatingIfNeeded: Self.littleEndian(try bytes(4, field).reversed()))
    }

    /// Big-endian, at a place that the format does not fix.
    public mutating func bigEndianUInt64(_ field: String) throws(MalformedBytes) -> UInt64 {
        Self.littleEndian(try bytes(8, field).reversed())
    }

    /// Reads a reserved field, and refuses it where a byte of it is not zero.
    public mutating func zeros(_ at: Int, _ count: Int, _ field: String) throws(MalformedBytes) {
        let start = self
        guard try bytes(at, count, field).allSatisfy({ $0 == 0 }) else {
            throw start.malformed(field, "reserved, must be zero")
        }
    }

    /// Refuses trailing bytes, and a format whose fields do not add up to `size`.
    public func end(_ size: Int) throws(MalformedBytes) {
        precondition(offset == size, "\(format): the decoder says \(size) bytes, the cursor stands at \(offset)")
        try end()
    }

    /// Refuses trailing bytes.
    public func end() throws(MalformedBytes) {
        guard remaining == 0 else { throw malformed("", "\(remaining) bytes beyond the end") }
    }

    /// An error at the cursor's place.
    public func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: offset, reason: reason)
    }

    private static func littleEndian(_ bytes: [UInt8]) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
