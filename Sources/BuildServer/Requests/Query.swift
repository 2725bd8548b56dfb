// SPDX-License-Identifier: Apache-2.0

/// The query of a request's target, `%XX` decoded (RFC 3986; a plus sign is a plus sign).
package struct Query: Hashable, Sendable {
    private var values: [String: [String]] = [:]

    /// Throws at an escape without two hexadecimal digits, and at text that is not UTF-8.
    package init(_ text: Substring) throws(Refusal) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? try Self.decode(parts[1]) : ""
            values[try Self.decode(parts[0]), default: []].append(value)
        }
    }

    /// `nil` where the query has no such name; throws where it stands twice.
    package func value(_ name: String) throws(Refusal) -> String? {
        guard let found = values[name] else { return nil }
        guard found.count == 1 else { throw .malformed("\(name) stands twice in the query") }
        return found[0]
    }

    /// A whole number, digits only; `nil` where the query has no such name.
    package func count(_ name: String) throws(Refusal) -> Int? {
        guard let text = try value(name) else { return nil }
        guard let count = Self.count(text) else {
            throw .malformed("\(name) must be a whole number from 0 to \(Int.max), without sign, point or exponent")
        }
        return count
    }

    /// Digits only, and no more than 63 bits.
    package static func count(_ text: String) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    private static func decode(_ text: Substring) throws(Refusal) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                throw .malformed("the query has a % without two hexadecimal digits")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .malformed("the query is not UTF-8") }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
