// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

extension TOMLReader {
    mutating func value(depth: Int) throws(MalformedBytes) -> JSONValue {
        guard depth <= TOMLDocument.maximumDepth else { throw tooDeep() }
        switch peek() {
        case UInt8(ascii: "\""):
            return .string(try startsLongString("\"") ? longString("\"") : basicString())
        case UInt8(ascii: "'"):
            return .string(try startsLongString("'") ? longString("'") : literalString())
        case UInt8(ascii: "["): return try list(depth: depth)
        case UInt8(ascii: "{"): return try inlineTable(depth: depth)
        default: return try scalar()
        }
    }

    private mutating func list(depth: Int) throws(MalformedBytes) -> JSONValue {
        offset += 1
        var elements: [JSONValue] = []
        while true {
            try skipBlank(lines: true)
            if take("]") { return .array(elements) }
            elements.append(try value(depth: depth + 1))
            try skipBlank(lines: true)
            if take("]") { return .array(elements) }
            guard take(",") else { throw malformed("',' or ']' expected") }
        }
    }

    private mutating func inlineTable(depth: Int) throws(MalformedBytes) -> JSONValue {
        offset += 1
        let table = TOMLTable(.header, depth: depth)
        while true {
            try skipBlank(lines: true)
            if take("}") { return table.json }
            try keyAndValue(into: table)
            try skipBlank(lines: true)
            if take("}") { return table.json }
            guard take(",") else { throw malformed("',' or '}' expected") }
        }
    }

    private mutating func scalar() throws(MalformedBytes) -> JSONValue {
        let start = offset
        skipScalar()
        // A date and a time may have a space between them.
        if offset - start == 10, bytes[start + 4] == UInt8(ascii: "-"), peek() == UInt8(ascii: " "),
            let digit = peek(1), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit)
        {
            offset += 1
            skipScalar()
        }
        guard let value = TOMLScalar.value(of: bytes[start..<offset]) else {
            throw malformed("'\(shown(text(start..<offset)))' is no value; text stands between quotes", at: start)
        }
        return value
    }

    private mutating func skipScalar() {
        while let byte = peek(), byte > 0x20 {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "="),
                UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "'"):
                return
            default: offset += 1
            }
        }
    }
}

// MARK: - Strings

extension TOMLReader {
    private func startsLongString(_ quote: Unicode.Scalar) -> Bool {
        peek(1) == UInt8(ascii: quote) && peek(2) == UInt8(ascii: quote)
    }

    /// `"text"`, with escapes.
    mutating func basicString() throws(MalformedBytes) -> String {
        let start = offset
        offset += 1
        var made: [UInt8] = []
        while let byte = peek(), !isControl(byte) {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return try bounded(made, at: start)
            case UInt8(ascii: "\\"): try escape(into: &made)
            default:
                made.append(byte)
                offset += 1
            }
        }
        throw malformed("text without its end", at: start)
    }

    /// `'text'`, without escapes.
    mutating func literalString() throws(MalformedBytes) -> String {
        let start = offset
        offset += 1
        while let byte = peek(), !isControl(byte) {
            offset += 1
            if byte == UInt8(ascii: "'") { return try bounded(bytes[start + 1..<offset - 1], at: start) }
        }
        throw malformed("text without its end", at: start)
    }

    /// Between three quotes; one or two more may stand before those that end it.
    private mutating func longString(_ quote: Unicode.Scalar) throws(MalformedBytes) -> String {
        let start = offset
        offset += 3
        _ = takeLineEnd()
        var made: [UInt8] = []
        while let byte = peek() {
            if byte == UInt8(ascii: quote), startsLongString(quote) {
                var extra = 0
                while extra < 2, peek(3 + extra) == byte { extra += 1 }
                offset += 3 + extra
                return try bounded(made + Array(repeating: byte, count: extra), at: start)
            }
            if takeLineEnd() {
                made.append(0x0A)
            } else if isControl(byte) {
                throw malformed("a control character within text")
            } else if byte == UInt8(ascii: "\\"), quote == "\"" {
                if !skipLineEndEscape() { try escape(into: &made) }
            } else {
                made.append(byte)
                offset += 1
            }
        }
        throw malformed("text without its end", at: start)
    }

    /// Text that can be hashed and compared in a bounded time.
    private func bounded(_ bytes: some Sequence<UInt8>, at start: Int) throws(MalformedBytes) -> String {
        let text = String(decoding: Array(bytes), as: UTF8.self)
        guard text.hasBoundedMarks else {
            throw malformed("more than \(String.maximumMarks) combining characters in a row", at: start)
        }
        return text
    }

    /// A backslash at the end of a line, and all blanks and line ends behind it.
    private mutating func skipLineEndEscape() -> Bool {
        let start = offset
        offset += 1
        while take(" ") || take("\t") {}
        guard takeLineEnd() else {
            offset = start
            return false
        }
        while take(" ") || take("\t") || takeLineEnd() {}
        return true
    }

    private mutating func escape(into made: inout [UInt8]) throws(MalformedBytes) {
        let start = offset
        let letter = peek(1)
        offset += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): made.append(letter ?? 0)
        case UInt8(ascii: "b"): made.append(0x08)
        case UInt8(ascii: "t"): made.append(0x09)
        case UInt8(ascii: "n"): made.append(0x0A)
        case UInt8(ascii: "f"): made.append(0x0C)
        case UInt8(ascii: "r"): made.append(0x0D)
        case UInt8(ascii: "e"): made.append(0x1B)
        case UInt8(ascii: "x"): try character(digits: 2, into: &made, from: start)
        case UInt8(ascii: "u"): try character(digits: 4, into: &made, from: start)
        case UInt8(ascii: "U"): try character(digits: 8, into: &made, from: start)
        default: throw malformed("an unknown escape", at: start)
        }
    }

    /// No character is zero: programs written in C take it for the end of a text.
    private mutating func character(
        digits: Int, into made: inout [UInt8], from start: Int
    ) throws(MalformedBytes) {
        let end = min(offset + digits, bytes.count)
        let field = bytes[offset..<end]
        guard field.count == digits, field.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let number = UInt32(text(offset..<end), radix: 16), number != 0, let scalar = Unicode.Scalar(number)
        else { throw malformed("an escape that is no character", at: start) }
        made.append(contentsOf: String(Character(scalar)).utf8)
        offset = end
    }
}
