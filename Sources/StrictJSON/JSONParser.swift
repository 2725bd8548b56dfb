// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

extension JSONValue {
    /// Arrays and objects within each other; deeper input is refused, so that no input exhausts the stack.
    public static let maximumDepth = 128

    /// Parses one whole JSON text.
    ///
    /// Refused: invalid UTF-8, a byte order mark, duplicate keys, lone surrogates, more combining characters in a row
    /// than `String.maximumMarks`, numbers beyond a double's range, nesting beyond ``maximumDepth``, and anything after
    /// the value but white space.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) {
        var parser = JSONParser(bytes)
        self = try parser.wholeText()
    }
}

struct JSONParser {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func wholeText() throws(MalformedBytes) -> JSONValue {
        let value = try self.value(depth: 0)
        skipWhiteSpace()
        guard offset == bytes.count else { throw malformed("bytes after the value") }
        return value
    }

    private mutating func value(depth: Int) throws(MalformedBytes) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else {
            throw malformed("nested deeper than \(JSONValue.maximumDepth) levels")
        }
        skipWhiteSpace()
        switch peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-")?: return try number()
        case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): return try number()
        default: throw malformed("a value expected")
        }
    }

    private mutating func object(depth: Int) throws(MalformedBytes) -> JSONValue {
        offset += 1
        var members: [String: JSONValue] = [:]
        skipWhiteSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipWhiteSpace()
            guard peek() == UInt8(ascii: "\"") else { throw malformed("a key expected") }
            let keyOffset = offset
            let key = try string()
            skipWhiteSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed("':' expected") }
            guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                throw malformed("the key '\(key)' stands twice in one object", at: keyOffset)
            }
            skipWhiteSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw malformed("',' or '}' expected") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(MalformedBytes) -> JSONValue {
        offset += 1
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipWhiteSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw malformed("',' or ']' expected") }
        return .array(elements)
    }

    private mutating func string() throws(MalformedBytes) -> String {
        if let plain = plainString() { return plain }
        let start = offset
        offset += 1
        var text: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw malformed("a string that is not UTF-8", at: start)
                }
                guard string.hasBoundedMarks else {
                    throw malformed("more than \(String.maximumMarks) combining characters in a row", at: start)
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw malformed("a control character within a string")
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw malformed("a string without its end", at: start)
    }

    /// A string without escapes, as most are: its bytes as they stand. `nil` for any other, and for what is no string.
    private mutating func plainString() -> String? {
        let start = offset + 1
        var (end, highest) = (start, UInt8(0))
        while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\"), bytes[end] >= 0x20
        {
            highest = max(highest, bytes[end])
            end += 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\""),
            let string = String(validating: bytes[start..<end], as: UTF8.self),
            highest < 0x80 || string.hasBoundedMarks
        else { return nil }
        offset = end + 1
        return string
    }

    private mutating func escape(into text: inout [UInt8]) throws(MalformedBytes) {
        offset += 1
        guard let letter = peek() else { throw malformed("an escape without its letter") }
        offset += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw malformed("an unknown escape", at: offset - 1)
        }
    }

    /// After `\u`: four digits, or two escapes that make a surrogate pair (RFC 8259, section 7).
    private mutating func unicodeEscape() throws(MalformedBytes) -> Unicode.Scalar {
        let start = offset
        let first = UInt32(try fourDigits())
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw malformed("a lone surrogate", at: start)
        }
        let second = UInt32(try fourDigits())
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw malformed("a lone surrogate", at: start) }
        return scalar
    }

    private mutating func fourDigits() throws(MalformedBytes) -> UInt16 {
        guard bytes.count - offset >= 4 else { throw malformed("four hexadecimal digits expected") }
        let digits = try Hex.decode(String(decoding: bytes[offset..<offset + 4], as: UTF8.self))
        offset += 4
        return UInt16(digits[0]) << 8 | UInt16(digits[1])
    }

    private mutating func number() throws(MalformedBytes) -> JSONValue {
        if let small = smallNumber() { return small }
        let start = offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        guard let number = Double(String(decoding: bytes[start..<offset], as: UTF8.self)), number.isFinite else {
            throw malformed("a number beyond the range of a double", at: start)
        }
        return .number(number)
    }

    /// A whole number of at most 15 digits, which a double holds exactly. `nil` for any other.
    private mutating func smallNumber() -> JSONValue? {
        var (end, value) = (offset, 0)
        while end < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[end]), end - offset <= 15 {
            value = value * 10 + Int(bytes[end] - UInt8(ascii: "0"))
            end += 1
        }
        let next = end < bytes.count ? bytes[end] : 0
        let isWhole = next != UInt8(ascii: ".") && next != UInt8(ascii: "e") && next != UInt8(ascii: "E")
        guard (1...15).contains(end - offset), isWhole, end - offset == 1 || bytes[offset] != UInt8(ascii: "0") else {
            return nil
        }
        offset = end
        return .number(Double(value))
    }

    private mutating func digits() throws(MalformedBytes) {
        let start = offset
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
        guard offset > start else { throw malformed("a digit expected") }
    }

    private mutating func literal(_ word: String, _ value: JSONValue) throws(MalformedBytes) -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else { throw malformed("'\(word)' expected") }
        offset += word.utf8.count
        return value
    }

    private mutating func skipWhiteSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    private func malformed(_ reason: String, at place: Int? = nil) -> MalformedBytes {
        MalformedBytes(format: "JSON", offset: place ?? offset, reason: reason)
    }
}
