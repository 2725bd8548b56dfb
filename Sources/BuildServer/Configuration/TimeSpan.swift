// SPDX-License-Identifier: Apache-2.0

/// Spans of time as people write them: a number of seconds, or a number with `minutes`, `hours` or `days`.
enum TimeSpan {
    private static let units: [(name: String, seconds: Int)] = [
        ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1),
    ]

    /// In seconds.
    static func parse(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        guard let count = words.first.flatMap({ ByteSize.digits($0) }).flatMap({ Int(exactly: $0) }) else { return nil }
        if words.count == 1 { return count }
        guard words.count == 2, let unit = units.first(where: { words[1] == $0.name || words[1] == $0.name + "s" })
        else { return nil }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit.seconds)
        return overflow ? nil : seconds
    }

    static func text(_ seconds: Int) -> String {
        guard let unit = units.first(where: { seconds > 0 && seconds.isMultiple(of: $0.seconds) }) else { return "0" }
        let count = seconds / unit.seconds
        return "\(count) \(unit.name)\(count == 1 ? "" : "s")"
    }
}
