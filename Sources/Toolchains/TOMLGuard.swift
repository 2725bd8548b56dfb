// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// A look at TOML before it is parsed: the parser recurses with each bracket and each dot of a key, and takes a zero
/// byte for the end, so that text with too many of these, or any zero, is refused first.
struct TOMLGuard {
    /// Brackets within each other, and dots within one key.
    static let maximumDepth = 32

    private let bytes: [UInt8]
    private let format: String
    private var offset = 0
    private var brackets = 0
    private var dots = 0

    static func check(_ bytes: [UInt8], format: String) throws(MalformedBytes) {
        var scan = TOMLGuard(bytes: bytes, format: format)
        try scan.run()
    }

    private init(bytes: [UInt8], format: String) {
        self.bytes = bytes
        self.format = format
    }

    private mutating func run() throws(MalformedBytes) {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "#"): skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): try skipString(byte)
            case 0: throw malformed("a zero byte")
            default:
                try count(byte)
                offset += 1
            }
        }
    }

    private mutating func count(_ byte: UInt8) throws(MalformedBytes) {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            brackets += 1
            dots = 0
        case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets -= 1
        case UInt8(ascii: "."): dots += 1
        case UInt8(ascii: "="), UInt8(ascii: ","), 0x0A: dots = 0
        default: break
        }
        guard brackets <= Self.maximumDepth, dots <= Self.maximumDepth else {
            throw malformed("nested deeper than \(Self.maximumDepth) levels")
        }
    }

    private mutating func skipComment() {
        while let byte = peek(), byte != 0x0A, byte != 0 { offset += 1 }
    }

    private mutating func skipString(_ quote: UInt8) throws(MalformedBytes) {
        let isLong = peek(1) == quote && peek(2) == quote
        offset += isLong ? 3 : 1
        while let byte = peek() {
            if byte == quote, !isLong || (peek(1) == quote && peek(2) == quote) {
                offset += isLong ? 3 : 1
                // A long string may end in two quotes of its own.
                if isLong { for _ in 0..<2 where peek() == quote { offset += 1 } }
                return
            }
            if byte == 0 { throw malformed("a zero byte") }
            // The parser reports a line end within a short string itself, and stops there.
            if byte == 0x0A, !isLong { return }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") { try skipEscape() }
            offset += 1
        }
    }

    /// Leaves the last byte of the escape to the caller.
    private mutating func skipEscape() throws(MalformedBytes) {
        offset += 1
        let digits = peek() == UInt8(ascii: "u") ? 4 : peek() == UInt8(ascii: "U") ? 8 : 0
        guard digits > 0, offset + digits < bytes.count else { return }
        guard bytes[offset + 1...offset + digits].contains(where: { $0 != UInt8(ascii: "0") }) else {
            throw malformed("a zero character within a string")
        }
    }

    private func peek(_ ahead: Int = 0) -> UInt8? { offset + ahead < bytes.count ? bytes[offset + ahead] : nil }

    private func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, offset: offset, reason: reason)
    }
}
