// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// Reads what stands between two slashes of a ``Glob``.
struct GlobReader {
    private let text: String
    private let letters: [Unicode.Scalar]
    private var position = 0

    /// - Parameter text: the whole glob, for the error.
    static func tokens(of part: String, in text: String) throws(BuildFailure) -> [Glob.Token] {
        var reader = GlobReader(text: text, letters: Array(part.unicodeScalars))
        return try reader.tokens()
    }

    private init(text: String, letters: [Unicode.Scalar]) {
        self.text = text
        self.letters = letters
    }

    private mutating func tokens() throws(BuildFailure) -> [Glob.Token] {
        var tokens: [Glob.Token] = []
        while let letter = next() {
            switch letter {
            case "*" where tokens.last == .run: throw malformed("has '**' beside other characters: it is a whole part")
            case "*": tokens.append(.run)
            case "?": tokens.append(.any)
            case "[": tokens.append(try set())
            case "\\", "{", "}":
                throw malformed("has '\(letter)', which has no meaning; write '[\(letter)]' for itself")
            default: tokens.append(.letter(letter))
            }
        }
        return tokens
    }

    /// After the opening bracket. A closing one that comes first is a member.
    private mutating func set() throws(BuildFailure) -> Glob.Token {
        let inverted = peek() == "!"
        if inverted { position += 1 }
        if peek() == "^" { throw malformed("has '^' first in brackets; '!' there means all but these") }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while let first = next() {
            if first == "]", !ranges.isEmpty { return .set(ranges, inverted: inverted) }
            if first == "[", let mark = peek(), ":.=".unicodeScalars.contains(mark) {
                throw malformed("has '[\(mark)' in brackets, which is not supported; write a range, as 'a-z'")
            }
            guard peek() == "-", let last = peek(1), last != "]" else {
                ranges.append(first...first)
                continue
            }
            position += 2
            guard first <= last else { throw malformed("has the range '\(first)-\(last)', which is empty") }
            ranges.append(first...last)
        }
        throw malformed("has '[' without its ']' before the next slash")
    }

    private mutating func next() -> Unicode.Scalar? {
        defer { position += 1 }
        return peek()
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        position + ahead < letters.count ? letters[position + ahead] : nil
    }

    private func malformed(_ reason: String) -> BuildFailure { Glob.malformed(text, reason) }
}
