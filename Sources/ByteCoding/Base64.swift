// SPDX-License-Identifier: Apache-2.0

/// Base 64 (RFC 4648, sections 4 and 5), read strictly: no white space, and no bits set beyond the last byte.
public enum Base64 {
    public enum Alphabet: Sendable {
        /// `+` and `/`, padded with `=` to a multiple of four.
        case standard
        /// `-` and `_`. Written without padding; read with or without it.
        case url
    }

    public static func encode(_ bytes: some Collection<UInt8>, alphabet: Alphabet = .standard) -> String {
        // One call of the collection's, where the loop would make several for each byte.
        let bytes = Array(bytes)
        let symbols = symbols(of: alphabet)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(symbols[Int(buffer >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { text.append(symbols[Int(buffer << UInt32(6 - bits) & 63)]) }
        if alphabet == .standard {
            while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Throws at a character outside the alphabet, at wrong padding, and at stray bits in the last character.
    public static func decode(_ text: String, alphabet: Alphabet = .standard) throws(MalformedBytes) -> [UInt8] {
        let characters = Array(text.utf8)
        let digits = try withoutPadding(characters, alphabet: alphabet)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        let values = alphabet == .standard ? standardValues : urlValues
        var buffer: UInt32 = 0
        var bits = 0
        for (offset, character) in digits.enumerated() {
            let value = values[Int(character)]
            guard value < 64 else { throw malformed("a character outside the alphabet", at: offset) }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard buffer & ((1 << UInt32(bits)) - 1) == 0 else {
            throw malformed("the last character has bits beyond the last byte", at: digits.count - 1)
        }
        return bytes
    }

    private static func withoutPadding(
        _ characters: [UInt8], alphabet: Alphabet
    ) throws(MalformedBytes) -> ArraySlice<UInt8> {
        let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let digits = characters.dropLast(padding)
        let wanted = (4 - digits.count % 4) % 4
        guard wanted != 3 else { throw malformed("a length that no bytes encode to", at: digits.count) }
        guard padding == wanted || (alphabet == .url && padding == 0) else {
            throw malformed("\(padding) padding characters, expected \(wanted)", at: digits.count)
        }
        return digits
    }

    private static let standardValues = values(of: .standard)
    private static let urlValues = values(of: .url)

    /// What each character stands for; 0xFF for those outside the alphabet.
    private static func values(of alphabet: Alphabet) -> [UInt8] {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, symbol) in symbols(of: alphabet).enumerated() {
            values[Int(symbol)] = UInt8(truncatingIfNeeded: value)
        }
        return values
    }

    private static func symbols(of alphabet: Alphabet) -> [UInt8] {
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        return Array((common + (alphabet == .standard ? "+/" : "-_")).utf8)
    }

    private static func malformed(_ reason: String, at offset: Int) -> MalformedBytes {
        MalformedBytes(format: "base64", offset: max(0, offset), reason: reason)
    }
}
