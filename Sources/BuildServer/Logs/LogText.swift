// SPDX-License-Identifier: Apache-2.0
import StrictJSON

/// Text on its way into a line of the log.
enum LogText {
    /// Bytes of one text; what is longer is cut.
    private static let limit = 8 << 10

    /// As it is where it is one plain word, else as a JSON string.
    static func word(_ text: String) -> String { isPlain(text, spaces: false) ? text : literal(text) }

    /// As it is where it is plain words, else as a JSON string.
    static func sentence(_ text: String) -> String { isPlain(text, spaces: true) ? text : literal(text) }

    /// A JSON string without anything that ends a line, moves a cursor, or turns the direction of what follows.
    static func literal(_ text: String) -> String {
        var literal = ""
        for scalar in String(decoding: JSONValue.literal(cut(text)), as: UTF8.self).unicodeScalars {
            if isHarmless(scalar) {
                literal.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return literal
    }

    /// Printable ASCII that can be mistaken neither for a fact nor for a quoted text.
    private static func isPlain(_ text: String, spaces: Bool) -> Bool {
        guard !text.isEmpty, text.utf8.count <= limit else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "="), UInt8(ascii: "\\"): false
            case UInt8(ascii: " "): spaces
            default: (0x21...0x7E).contains(byte)
            }
        }
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return false
        default: return true
        }
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
