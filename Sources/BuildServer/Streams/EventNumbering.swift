// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// Puts `id: K` before each event of a log's bytes, for readers that want ids. Events end with a blank line; the bytes
/// come in pieces that may break anywhere.
package struct EventNumbering: Sendable {
    private var next: Int
    private var isAtStart = true
    private var endsWithNewline = false

    /// The bytes start with the event numbered `first`.
    package init(first: Int) { next = first }

    package mutating func number(_ bytes: ByteBuffer) -> ByteBuffer {
        var numbered = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + bytes.readableBytes / 4 + 32)
        var rest = bytes.readableBytesView
        while !rest.isEmpty {
            if isAtStart { numbered.writeString("id: \(next)\n") }
            isAtStart = false
            let line = rest.firstIndex(of: 0x0A).map { rest[...$0] } ?? rest
            numbered.writeBytes(line)
            rest = rest[line.endIndex...]
            endLine(line)
        }
        return numbered
    }

    private mutating func endLine(_ line: ByteBufferView) {
        guard line.last == 0x0A else {
            endsWithNewline = false
            return
        }
        if line.count == 1, endsWithNewline {
            isAtStart = true
            next += 1
        }
        endsWithNewline = true
    }
}
