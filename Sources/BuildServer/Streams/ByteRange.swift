// SPDX-License-Identifier: Apache-2.0

/// What a request asks for of a file (RFC 9110, section 14).
package enum ByteRange: Hashable, Sendable {
    case whole
    case part(Range<Int64>)
    case unsatisfiable

    /// Several ranges, other units and malformed headers are ignored, as the RFC allows: the whole file is served.
    package init(header: String?, size: Int64) {
        guard let header, header.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map(Self.trim)
        guard ends.count == 2 else {
            self = .whole
            return
        }
        self = Self.range(first: ends[0], last: ends[1], size: size)
    }

    private static func range(first: Substring, last: Substring, size: Int64) -> ByteRange {
        switch (first.isEmpty, last.isEmpty) {
        case (true, false):
            guard let count = digits(last) else { return .whole }
            return count == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - count)..<size)
        case (false, true):
            guard let first = digits(first) else { return .whole }
            return first < size ? .part(first..<size) : .unsatisfiable
        case (false, false):
            guard let first = digits(first), let last = digits(last), first <= last else { return .whole }
            return first < size ? .part(first..<(min(last, size - 1) + 1)) : .unsatisfiable
        case (true, true): return .whole
        }
    }

    /// Numbers beyond 63 bits are as good as the largest.
    private static func digits(_ text: Substring) -> Int64? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(text) ?? .max
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
