// SPDX-License-Identifier: Apache-2.0

/// Numbers as ECMAScript writes them (ECMA-262, Number::toString), which RFC 8785, section 3.2.2.3 requires.
enum ECMAScriptNumber {
    static func text(of number: Double) -> String {
        precondition(number.isFinite, "JSON has no infinities and no NaN")
        if number == 0 { return "0" }
        let (digits, point) = shortestDigits(of: number.magnitude)
        return (number < 0 ? "-" : "") + layout(digits, point: point)
    }

    /// The fewest digits that round-trip, and how many of them stand before the decimal point.
    private static func shortestDigits(of number: Double) -> (digits: [Character], point: Int) {
        let parts = "\(number)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        let all = Array(mantissa[0] + fraction)
        let leadingZeros = all.prefix { $0 == "0" }.count
        let digits = all.dropFirst(leadingZeros)
        let trailingZeros = digits.reversed().prefix { $0 == "0" }.count
        return (Array(digits.dropLast(trailingZeros)), mantissa[0].count + exponent - leadingZeros)
    }

    private static func layout(_ digits: [Character], point: Int) -> String {
        let count = digits.count
        switch point {
        case count...21 where count <= 21: return String(digits) + String(repeating: "0", count: point - count)
        case 1...21: return String(digits[..<point]) + "." + String(digits[point...])
        case -5...0: return "0." + String(repeating: "0", count: -point) + String(digits)
        default:
            let exponent = point - 1
            let fraction = count > 1 ? "." + String(digits[1...]) : ""
            return String(digits[0]) + fraction + "e" + (exponent < 0 ? "-" : "+") + String(exponent.magnitude)
        }
    }
}
