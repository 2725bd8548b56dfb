// SPDX-License-Identifier: Apache-2.0

/// Base 16 (RFC 4648, section 8). Written in lower case, read in either case.
public enum Hex {
    /// Two digits a byte, lower case, no separators.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        // One call of the sequence's, where the loop would make one for each byte.
        let bytes = Array(bytes)
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Throws where the number of digits is odd, or a character is not a hexadecimal digit.
    public static func decode(_ text: String) throws(MalformedBytes) -> [UInt8] {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else {
            throw MalformedBytes(
                format: "hex", offset: digits.count, reason: "an odd number of digits, \(digits.count)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            bytes.append(try value(digits[index], at: index) << 4 | value(digits[index + 1], at: index + 1))
        }
        return bytes
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(_ digit: UInt8, at offset: Int) throws(MalformedBytes) -> UInt8 {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: throw MalformedBytes(format: "hex", offset: offset, reason: "not a hexadecimal digit")
        }
    }
}
