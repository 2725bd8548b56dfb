// SPDX-License-Identifier: Apache-2.0

/// Writes a binary format from front to back; the counterpart of ``ByteCursor``.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    public mutating func zeros(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }

    public mutating func littleEndian(_ value: some FixedWidthInteger) {
        append(Self.bigEndianBytes(of: value).reversed())
    }

    public mutating func bigEndian(_ value: some FixedWidthInteger) { append(Self.bigEndianBytes(of: value)) }

    private static func bigEndianBytes<Value: FixedWidthInteger>(of value: Value) -> [UInt8] {
        stride(from: Value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> Value($0)) }
    }
}
