// SPDX-License-Identifier: Apache-2.0

/// A text that another must equal, byte for byte, but for its stars: `*` stands for any characters without a slash,
/// none too; `**` for any characters. Nothing else has a meaning, and nothing can be escaped.
public struct Pattern: Hashable, Sendable, CustomStringConvertible {
    public let text: String
    private let parts: [Part]

    private enum Part: Hashable {
        case byte(UInt8)
        /// `*`
        case withoutSlash
        /// `**`
        case anything
    }

    public init(_ text: String) {
        self.text = text
        var parts: [Part] = []
        for byte in text.utf8 {
            guard byte == UInt8(ascii: "*") else {
                parts.append(.byte(byte))
                continue
            }
            switch parts.last {
            case .withoutSlash: parts[parts.count - 1] = .anything
            case .anything: break
            default: parts.append(.withoutSlash)
            }
        }
        self.parts = parts
    }

    public var description: String { text }

    /// A longer value matches nothing, in bytes: no address, name or version is as long.
    static let longestValue = 8192

    /// Takes at most the product of both lengths in steps.
    public func matches(_ value: String) -> Bool {
        guard value.utf8.count <= Self.longestValue else { return false }
        var reachable = Self.afterStars([0], parts)
        for byte in value.utf8 {
            var next: Set<Int> = []
            for position in reachable where position < parts.count {
                switch parts[position] {
                case .byte(byte): next.insert(position + 1)
                case .byte: break
                case .withoutSlash: if byte != UInt8(ascii: "/") { next.insert(position) }
                case .anything: next.insert(position)
                }
            }
            guard !next.isEmpty else { return false }
            reachable = Self.afterStars(next, parts)
        }
        return reachable.contains(parts.count)
    }

    /// Stars may stand for nothing.
    private static func afterStars(_ positions: Set<Int>, _ parts: [Part]) -> Set<Int> {
        var all = positions
        for start in positions {
            var position = start
            while position < parts.count, parts[position] == .withoutSlash || parts[position] == .anything {
                position += 1
                all.insert(position)
            }
        }
        return all
    }
}
