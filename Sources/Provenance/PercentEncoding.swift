// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Text within a package URL (purl specification, "Character encoding").
public enum PercentEncoding {
    /// All bytes but letters, digits, `-._~` and those of `kept` as %XX.
    public static func encode(_ text: String, keeping kept: String = "") -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) || kept.utf8.contains(byte) {
                encoded.append(byte)
            } else {
                let digits = Hex.encode([byte]).uppercased()
                encoded += [UInt8(ascii: "%")] + Array(digits.utf8)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Whether a byte stands for itself.
    public static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
