// SPDX-License-Identifier: Apache-2.0
package import NIOCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Puts `id: K` before each event of a log's bytes, for readers that want ids. Events end with a blank line; the bytes
/// come in pieces that may break anywhere.
package struct EventNumbering: Hashable, Sendable {
    private static let newline = UInt8(ascii: "\n")
    /// Bytes of the longest `id: K` line.
    private static let idSize = 25

    private var next: Int
    private var isAtStart = true
    private var endsWithNewline = false

    /// The bytes start with the event numbered `first`.
    package init(first: Int) { next = first }

    /// Appends `bytes` with their ids to `result`.
    package mutating func number(_ bytes: ByteBuffer, into result: inout ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let end = endOfEvent(in: rest)
                let part = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.endIndex)])
                let isAtStart = isAtStart
                result.writeWithUnsafeMutableBytes(minimumWritableBytes: part.count + Self.idSize) { space in
                    let size = isAtStart ? Self.writeID(next, to: space) : 0
                    UnsafeMutableRawBufferPointer(rebasing: space[size...]).copyMemory(from: part)
                    return size + part.count
                }
                self.isAtStart = end != nil
                endsWithNewline = end == nil && part.last == Self.newline
                if end != nil { next += 1 }
                rest = rest[(end ?? rest.endIndex)...]
            }
        }
    }

    /// Where the event under way ends, which is after its second line end in a row; `nil` where that is not in `bytes`.
    private func endOfEvent(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        if endsWithNewline, bytes.first == Self.newline { return bytes.startIndex + 1 }
        guard let base = bytes.base.baseAddress else { return nil }
        var from = bytes.startIndex
        while let found = memchr(base + from, Int32(Self.newline), bytes.endIndex - from) {
            let after = UnsafeRawPointer(found) - base + 1
            guard after < bytes.endIndex else { return nil }
            if bytes.base[after] == Self.newline { return after + 1 }
            from = after
        }
        return nil
    }

    private static func writeID(_ number: Int, to space: UnsafeMutableRawBufferPointer) -> Int {
        let digits = number < 10 ? 1 : decimalDigits(number)
        space.copyBytes(from: [UInt8(ascii: "i"), UInt8(ascii: "d"), UInt8(ascii: ":"), UInt8(ascii: " ")])
        var rest = number
        for place in stride(from: 3 + digits, to: 3, by: -1) {
            space[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        space[4 + digits] = newline
        return 5 + digits
    }

    private static func decimalDigits(_ number: Int) -> Int {
        var count = 0
        var rest = number
        while rest > 0 {
            rest /= 10
            count += 1
        }
        return count
    }
}
