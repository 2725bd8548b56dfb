// SPDX-License-Identifier: Apache-2.0
internal import StrictJSON

/// The values of TOML that stand without quotes: truth values, numbers, dates and times.
struct TOMLScalar {
    private let bytes: [UInt8]
    private var offset = 0

    /// `nil` where the text is no such value. Dates and times are strings as they stand, so are infinities and NaN.
    static func value(of bytes: ArraySlice<UInt8>) -> JSONValue? {
        var scalar = TOMLScalar(bytes: Array(bytes))
        if let byte = bytes.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            if scalar.isDateOrTime() { return .string(String(decoding: bytes, as: UTF8.self)) }
            scalar.offset = 0
            return scalar.number().map { .number($0) }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        switch text {
        case "true": return true
        case "false": return false
        case "inf", "+inf", "-inf", "nan", "+nan", "-nan": return .string(text)
        default: return scalar.number().map { .number($0) }
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var isAtEnd: Bool { offset == bytes.count }

    private mutating func take(_ letters: String) -> Bool {
        guard offset < bytes.count, letters.utf8.contains(bytes[offset]) else { return false }
        offset += 1
        return true
    }

    // MARK: Numbers

    private mutating func number() -> Double? {
        if bytes.count > 2, bytes[0] == UInt8(ascii: "0"), let radix = radix(of: bytes[1]) {
            offset = 2
            guard let digits = digits(radix: radix), isAtEnd else { return nil }
            return Int64(digits, radix: radix).map(Double.init)
        }
        let sign = take("-") ? "-" : ""
        if sign.isEmpty { _ = take("+") }
        guard let whole = digits(radix: 10), whole == "0" || !whole.hasPrefix("0") else { return nil }
        if isAtEnd { return Int64(sign + whole).map(Double.init) }
        var text = sign + whole
        if take(".") {
            guard let fraction = digits(radix: 10) else { return nil }
            text += "." + fraction
        }
        if take("eE") {
            text += take("-") ? "e-" : "e"
            if text.hasSuffix("e") { _ = take("+") }
            guard let exponent = digits(radix: 10) else { return nil }
            text += exponent
        }
        guard isAtEnd, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private func radix(of letter: UInt8) -> Int? {
        switch letter {
        case UInt8(ascii: "x"): 16
        case UInt8(ascii: "o"): 8
        case UInt8(ascii: "b"): 2
        default: nil
        }
    }

    /// At least one digit, without the single underscores that may stand between two.
    private mutating func digits(radix: Int) -> String? {
        var found = ""
        repeat {
            let start = offset
            while offset < bytes.count, let value = Character(Unicode.Scalar(bytes[offset])).hexDigitValue,
                value < radix
            {
                offset += 1
            }
            guard offset > start else { return nil }
            found += String(decoding: bytes[start..<offset], as: UTF8.self)
        } while take("_")
        return found
    }

    // MARK: Dates and times (RFC 3339)

    private mutating func isDateOrTime() -> Bool {
        guard bytes.count >= 5 else { return false }
        if bytes[2] == UInt8(ascii: ":") { return isTime() && isAtEnd }
        guard let year = field(4), take("-"), let month = field(2), (1...12).contains(month), take("-"),
            let day = field(2), (1...Self.days(of: month, in: year)).contains(day)
        else { return false }
        if isAtEnd { return true }
        guard take("Tt "), isTime() else { return false }
        if isAtEnd || take("Zz") { return isAtEnd }
        guard take("+-"), let hour = field(2), hour < 24, take(":"), let minute = field(2), minute < 60 else {
            return false
        }
        return isAtEnd
    }

    /// Seconds may be left out; the sixtieth is a leap second.
    private mutating func isTime() -> Bool {
        guard let hour = field(2), hour < 24, take(":"), let minute = field(2), minute < 60 else { return false }
        guard take(":") else { return true }
        guard let second = field(2), second <= 60 else { return false }
        guard take(".") else { return true }
        let start = offset
        while take("0123456789") {}
        return offset > start
    }

    private mutating func field(_ count: Int) -> Int? {
        let start = offset
        while offset - start < count { guard take("0123456789") else { return nil } }
        return Int(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
