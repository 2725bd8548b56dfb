// SPDX-License-Identifier: Apache-2.0
package import ByteCoding

/// Cuts a `text/event-stream` (WHATWG HTML, section 9.2.6) into the data of its events, however the bytes arrive.
///
/// An event without its blank line is none: what a broken connection cut off is never taken for an event. Fields other
/// than `data`, and comments, are read over.
package struct ServerSentEventParser: Sendable {
    /// Bytes of one line, and of one event's data; more is refused, so that memory is bounded whatever arrives.
    package static let maximumLength = 1 << 20

    /// Whole lines so far, comments among them: a sign of life.
    package private(set) var lines = 0
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var followsReturn = false
    private var isFirstLine = true

    package init() {}

    /// Takes more of the stream and returns the data of the events that it completes: the `data` lines of each, joined
    /// by line feeds.
    package mutating func events(in bytes: UnsafeRawBufferPointer) throws(MalformedBytes) -> [[UInt8]] {
        var events: [[UInt8]] = []
        var start = 0
        for (offset, byte) in bytes.enumerated() where byte == 0x0A || byte == 0x0D {
            let endsPair = followsReturn && offset == start && byte == 0x0A && line.isEmpty
            followsReturn = byte == 0x0D
            defer { start = offset + 1 }
            guard !endsPair else { continue }
            try append(bytes[start..<offset])
            if let event = try endLine() { events.append(event) }
        }
        if start < bytes.count { followsReturn = false }
        try append(bytes[start...])
        return events
    }

    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) throws(MalformedBytes) {
        guard line.count + bytes.count <= Self.maximumLength else { throw tooLong("a line") }
        line.append(contentsOf: bytes)
    }

    private mutating func endLine() throws(MalformedBytes) -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        lines += 1
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return endEvent() }
        guard let value = Self.value(ofDataField: line) else { return nil }
        guard data.count + value.count < Self.maximumLength else { throw tooLong("an event") }
        if hasData { data.append(0x0A) }
        data.append(contentsOf: value)
        hasData = true
        return nil
    }

    private mutating func endEvent() -> [UInt8]? {
        guard hasData else { return nil }
        defer {
            data = []
            hasData = false
        }
        return data
    }

    /// What follows `data:` and one space; empty for the bare word.
    private static func value(ofDataField line: [UInt8]) -> ArraySlice<UInt8>? {
        guard line.starts(with: "data".utf8) else { return nil }
        let rest = line.dropFirst(4)
        guard let colon = rest.first else { return rest }
        guard colon == UInt8(ascii: ":") else { return nil }
        let value = rest.dropFirst()
        return value.first == 0x20 ? value.dropFirst() : value
    }

    private func tooLong(_ what: String) -> MalformedBytes {
        MalformedBytes(
            format: "event stream", offset: 0, reason: "\(what) is longer than \(Self.maximumLength) bytes")
    }
}
