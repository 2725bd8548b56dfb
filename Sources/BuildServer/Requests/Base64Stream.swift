// SPDX-License-Identifier: Apache-2.0
package import ByteCoding

/// Base 64 (RFC 4648, section 4) that arrives in pieces. Line ends are skipped, as encoders that fold lines put them;
/// everything else outside the alphabet, wrong padding and stray bits are refused.
package struct Base64Stream: Sendable {
    private var buffer: UInt32 = 0
    /// Characters in `buffer`, 0 to 3.
    private var held = 0
    private var padding = 0
    /// Characters taken.
    private var offset = 0

    package init() {}

    /// Appends the bytes that `characters` complete.
    package mutating func decode(
        _ characters: UnsafeRawBufferPointer, into bytes: inout [UInt8]
    ) throws(MalformedBytes) {
        bytes.reserveCapacity(bytes.count + characters.count / 4 * 3 + 3)
        for character in characters {
            offset += 1
            let value = Self.values[Int(character)]
            if value < 64, padding == 0 {
                buffer = buffer << 6 | UInt32(value)
                held += 1
                if held == 4 { flush(into: &bytes) }
            } else if character == UInt8(ascii: "=") {
                try pad(into: &bytes)
            } else if character != 0x0A, character != 0x0D {
                throw malformed("a character outside the alphabet")
            }
        }
    }

    /// Throws where the text breaks off.
    package func finish() throws(MalformedBytes) {
        guard held == 0, padding == 0 || padding == 3 else {
            throw malformed("the text breaks off; padding is missing")
        }
    }

    private mutating func flush(into bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: buffer >> 16))
        bytes.append(UInt8(truncatingIfNeeded: buffer >> 8))
        bytes.append(UInt8(truncatingIfNeeded: buffer))
        (buffer, held) = (0, 0)
    }

    /// `padding` is 1 where one more is due, and 3 when the text is over.
    private mutating func pad(into bytes: inout [UInt8]) throws(MalformedBytes) {
        switch (held, padding) {
        case (2, 0):
            guard buffer & 0xF == 0 else { throw malformed("bits beyond the last byte") }
            bytes.append(UInt8(truncatingIfNeeded: buffer >> 4))
            (buffer, held, padding) = (0, 0, 1)
        case (3, 0):
            guard buffer & 0x3 == 0 else { throw malformed("bits beyond the last byte") }
            bytes.append(UInt8(truncatingIfNeeded: buffer >> 10))
            bytes.append(UInt8(truncatingIfNeeded: buffer >> 2))
            (buffer, held, padding) = (0, 0, 3)
        case (0, 1): padding = 3
        default: throw malformed("padding where none belongs")
        }
    }

    private func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "base64", offset: max(0, offset - 1), reason: reason)
    }

    /// The value of each character; 64 where it has none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        let symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, symbol) in symbols.utf8.enumerated() { values[Int(symbol)] = UInt8(value) }
        return values
    }()
}
