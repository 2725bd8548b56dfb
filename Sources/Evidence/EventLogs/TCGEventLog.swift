// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What firmware and boot loaders measured, in order (TCG PC Client Platform Firmware Profile, section 10). Nothing
/// signs it: it is worth as much as the registers that replaying it must give.
///
/// Integers are little-endian. There are two forms; the second begins with one event of the first, which declares
/// the algorithms ("Spec ID Event03"). ACPI's CCEL table has the second form, with RTMR i as register i + 1.
///
/// | form | fields of an event |
/// |---|---|
/// | SHA-1 | register (4), type (4), SHA-1 digest (20), size (4), content |
/// | crypto-agile | register (4), type (4), count (4), count × {algorithm (2), digest}, size (4), content |
public struct TCGEventLog: Hashable, Sendable {
    /// Bytes; a longer log is refused.
    public static let maximumSize = 16 << 20

    public struct Event: Hashable, Sendable {
        /// PCRIndex, or in a CCEL the index of the measurement register.
        public let register: UInt32
        public let type: UInt32
        /// Of each bank that the log declares.
        public let digests: [TPMHashAlgorithm: [UInt8]]
        public let content: [UInt8]
    }

    /// EV_NO_ACTION: an event that is not measured.
    public static let noAction: UInt32 = 3

    /// The banks, in the order in which the log declares them; SHA-1 alone in the older form.
    public let banks: [TPMHashAlgorithm]
    /// Without the one that declares the algorithms.
    public let events: [Event]

    /// Throws at truncated events, digests of a bank that is not declared, and anything after the last event but a
    /// rest of the firmware's buffer: zeros, or 0xFF.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "event log")
        guard bytes.count <= Self.maximumSize else { throw cursor.malformed("", "more than 16 MiB") }
        let first = try Self.event(&cursor)
        guard let layout = try AlgorithmLayout(first) else {
            banks = [.sha1]
            events = try [first] + Self.events(bytes, &cursor, Self.event)
            return
        }
        banks = layout.banks
        events = try Self.events(bytes, &cursor) { cursor throws(MalformedBytes) in
            try layout.event(&cursor)
        }
    }

    private static func events(
        _ bytes: [UInt8], _ cursor: inout ByteCursor,
        _ next: (inout ByteCursor) throws(MalformedBytes) -> Event
    ) throws(MalformedBytes) -> [Event] {
        let end = bytes.count - bytes.reversed().prefix { $0 == bytes.last && ($0 == 0 || $0 == 0xFF) }.count
        var events: [Event] = []
        while cursor.offset < end { events.append(try next(&cursor)) }
        return events
    }

    private static func event(_ cursor: inout ByteCursor) throws(MalformedBytes) -> Event {
        let register = try cursor.uint32("PCRIndex")
        let type = try cursor.uint32("EventType")
        let digest = try cursor.bytes(20, "Digest")
        let content = try cursor.bytes(Int(try cursor.uint32("EventDataSize")), "Event")
        return Event(register: register, type: type, digests: [.sha1: digest], content: content)
    }
}
