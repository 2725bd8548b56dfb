// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Reads the strings and lists of a `.drv` file from front to back.
struct DerivationReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func expect(_ text: String) throws(MalformedBytes) {
        guard bytes[offset...].starts(with: text.utf8) else { throw malformed("'\(text)' expected") }
        offset += text.utf8.count
    }

    func end() throws(MalformedBytes) {
        guard offset == bytes.count else { throw malformed("bytes after the end") }
    }

    /// `[` elements with commas between them `]`.
    mutating func list(
        _ element: (inout DerivationReader) throws(MalformedBytes) -> Void
    ) throws(MalformedBytes) {
        try expect("[")
        if peek() == UInt8(ascii: "]") { return offset += 1 }
        for _ in 0..<DerivationText.maximumCount {
            try element(&self)
            guard peek() == UInt8(ascii: ",") else { return try expect("]") }
            offset += 1
        }
        throw malformed("a list of more than \(DerivationText.maximumCount) elements")
    }

    /// A string that is text.
    mutating func text(_ field: String) throws(MalformedBytes) -> String {
        let start = self
        guard let text = String(validating: try string(), as: UTF8.self) else {
            throw start.malformed("\(field) is not UTF-8")
        }
        return text
    }

    /// What stands between quotes. Quotes, backslashes, line ends, carriage returns and tabs are escaped in it and
    /// nothing else is; a zero is not in it.
    mutating func string() throws(MalformedBytes) -> [UInt8] {
        try expect("\"")
        var string: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return string
            case UInt8(ascii: "\\"): string.append(try escaped())
            case 0, UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                throw malformed("a character in a string that must be escaped")
            default:
                string.append(byte)
                offset += 1
            }
        }
        throw malformed("a string without its end")
    }

    private mutating func escaped() throws(MalformedBytes) -> UInt8 {
        offset += 1
        let byte: UInt8
        switch peek() {
        case UInt8(ascii: "n"): byte = UInt8(ascii: "\n")
        case UInt8(ascii: "r"): byte = UInt8(ascii: "\r")
        case UInt8(ascii: "t"): byte = UInt8(ascii: "\t")
        case UInt8(ascii: "\""): byte = UInt8(ascii: "\"")
        case UInt8(ascii: "\\"): byte = UInt8(ascii: "\\")
        default: throw malformed("an escape that Nix does not write")
        }
        offset += 1
        return byte
    }

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "derivation", offset: offset, reason: reason)
    }
}
