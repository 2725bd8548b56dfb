// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON
internal import TOMLKit

/// Reads TOML 1.0 as the JSON of the same shape: tables as objects, dates and times as strings.
enum TOMLDocument {
    /// Throws at input that is no TOML, is larger than `limit` bytes, or would exhaust the parser.
    ///
    /// - Parameter name: the file's name, for the error.
    static func parse(_ bytes: [UInt8], name: String, limit: Int = 1 << 20) throws(MalformedBytes) -> JSONValue {
        guard bytes.count <= limit else {
            throw MalformedBytes(format: name, offset: limit, reason: "more than \(limit) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MalformedBytes(format: name, offset: 0, reason: "not UTF-8")
        }
        try TOMLGuard.check(bytes, format: name)
        return try JSONValue(parsing: Array(try json(text, bytes, name: name).utf8))
    }

    /// The whole document in one call: reading it value by value leaks memory with each.
    private static func json(_ text: String, _ bytes: [UInt8], name: String) throws(MalformedBytes) -> String {
        do {
            let options: FormatOptions = [.allowUnicodeStrings, .quoteDateAndTimes, .quoteInfinitesAndNaNs]
            return try TOMLTable(string: text).convert(to: .json, options: options)
        } catch let error as TOMLParseError {
            let place = error.source.begin
            throw MalformedBytes(
                format: name, offset: offset(of: place, in: bytes),
                reason: "\(shown(error.description)) (line \(place.line), column \(place.column))")
        } catch {
            throw MalformedBytes(format: name, offset: 0, reason: "\(error)")
        }
    }

    private static func offset(of place: TOMLSourcePosition, in bytes: [UInt8]) -> Int {
        let lines = bytes.split(separator: 0x0A, maxSplits: max(0, place.line - 1), omittingEmptySubsequences: false)
        let start = lines.last?.startIndex ?? 0
        return min(start + max(0, place.column - 1), bytes.count)
    }
}
