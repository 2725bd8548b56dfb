// SPDX-License-Identifier: Apache-2.0
internal import StrictJSON

/// What a plain YAML scalar, one without quotes, means.
///
/// | text | meaning |
/// |---|---|
/// | `true`, `false` | these |
/// | `0`, `-1`, `42` | whole numbers, without leading zeros |
/// | `yes`, `no`, `on`, `off`, `y`, `n`, `True`, `null`, `~`, nothing | refused: readers disagree |
/// | `0755`, `0x1F`, `1_000`, `1.5`, `1e3`, `12:30`, `.inf`, `2026-01-31` | refused: readers disagree |
/// | `<<`, `=` | refused: keys with a meaning of their own |
/// | all else | text |
enum PlainScalar {
    /// Only its reason is told.
    static func value(of text: String) throws(PolicyError) -> JSONValue {
        switch text {
        case "true": return true
        case "false": return false
        case "": throw PolicyError("a value is missing; leave the key out, or write \"\"")
        case "<<", "=": throw PolicyError("'\(text)' is refused")
        default: break
        }
        switch text.lowercased() {
        case "yes", "no", "on", "off", "y", "n", "true", "false":
            throw PolicyError("'\(text)' is text to some and a truth value to others: write true or false, or quote it")
        case "null", "~": throw PolicyError("'\(text)' is no value: leave the key out, or quote it")
        default: break
        }
        if let number = wholeNumber(text) { return .integer(number) }
        guard !looksLikeANumber(text) else {
            throw PolicyError("'\(text.prefix(40))' is a number or a date to some readers: quote it if it is text")
        }
        return .string(text)
    }

    /// At most 15 digits, which every reader holds exactly.
    private static func wholeNumber(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard (1...15).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit),
            digits == "0" || !digits.hasPrefix("0"), text != "-0"
        else { return nil }
        return Int(text)
    }

    /// Whether YAML 1.1 or 1.2 has a number or time of this form.
    private static func looksLikeANumber(_ text: String) -> Bool {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let lower = unsigned.lowercased()
        if [".inf", ".nan"].contains(lower) { return true }
        guard let first = lower.utf8.first, isDigit(first) || first == UInt8(ascii: ".") else { return false }
        if lower.hasPrefix("0x") || lower.hasPrefix("0o") || lower.hasPrefix("0b") { return hasOnlyHexDigits(lower) }
        return isFloat(lower) || isSexagesimal(lower) || isDate(lower)
    }

    private static func hasOnlyHexDigits(_ text: String) -> Bool {
        text.utf8.count > 2
            && text.utf8.dropFirst(2).allSatisfy {
                isDigit($0) || $0 == UInt8(ascii: "_") || (0x61...0x66).contains($0)
            }
    }

    /// Digits and `_`, at most one point, at most one exponent.
    private static func isFloat(_ text: String) -> Bool {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        let mantissa = parts[0].utf8
        guard mantissa.contains(where: isDigit), mantissa.count(where: { $0 == UInt8(ascii: ".") }) <= 1,
            mantissa.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") })
        else { return false }
        guard parts.count == 2 else { return true }
        let exponent = parts[1].drop { $0 == "+" || $0 == "-" }.utf8
        return !exponent.isEmpty && exponent.allSatisfy { isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isSexagesimal(_ text: String) -> Bool {
        text.contains(":") && text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
    }

    /// Begins as a date does: four digits, a hyphen, a digit.
    private static func isDate(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(6))
        return bytes.count == 6 && bytes[..<4].allSatisfy(isDigit) && bytes[4] == UInt8(ascii: "-")
            && isDigit(bytes[5]) && text.utf8.dropFirst(5).allSatisfy { isDigit($0) || "-:t zu.+".utf8.contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
