// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A build's log in short: its digest, and enough of each line to say which is the first that differs from another's.
public struct LogSummary: Hashable, Sendable {
    /// Of `build.log` as it is in a bundle: each line's UTF-8 bytes and a line feed.
    public let digest: Digest256
    /// One number for each line. Lines with different numbers differ; it proves nothing that they are the same.
    let marks: [UInt64]

    /// Lines.
    public var count: Int { marks.count }

    /// Counts from 1; `nil` where no line differs by its mark, and both have as many.
    func firstDifference(from other: LogSummary) -> Int? {
        let same = zip(marks, other.marks).prefix { $0 == $1 }.count
        return same < max(count, other.count) ? same + 1 : nil
    }

    /// A log being read, line by line or as bytes.
    public struct Stream: Sendable {
        private var digest = Digest256.Stream()
        private var marks: [UInt64] = []
        private var mark = Self.firstMark
        private var isInLine = false

        // FNV-1a, 64 bits.
        private static let firstMark: UInt64 = 0xCBF2_9CE4_8422_2325
        private static let prime: UInt64 = 0x100_0000_01B3

        public init() {}

        /// A line as an event has it. A line feed in it, which no line has, does not end it: what follows could
        /// otherwise be taken for a line of its own.
        public mutating func append(line: String) { append(line.utf8.map { $0 == 0x0A ? 0 : $0 } + [0x0A]) }

        /// More of `build.log`.
        public mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

        /// More of `build.log`.
        public mutating func append(_ bytes: UnsafeRawBufferPointer) {
            digest.update(bytes)
            for byte in bytes {
                if byte == 0x0A {
                    endLine()
                } else {
                    mark = (mark ^ UInt64(byte)) &* Self.prime
                    isInLine = true
                }
            }
        }

        private mutating func endLine() {
            marks.append(mark)
            mark = Self.firstMark
            isInLine = false
        }

        /// A last line without an end counts.
        public var summary: LogSummary {
            LogSummary(digest: digest.digest, marks: isInLine ? marks + [mark] : marks)
        }
    }
}
