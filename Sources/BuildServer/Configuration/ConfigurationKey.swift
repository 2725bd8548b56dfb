// SPDX-License-Identifier: Apache-2.0
import Builds

/// One setting: its name in the file and the environment, its unit, and the risk that it controls.
public struct ConfigurationKey: Sendable {
    /// As in the file; a dot separates the table from the key: `limits.memory`.
    public let name: String
    /// What the value means, one sentence.
    public let meaning: String
    /// What a careless value costs, one sentence.
    public let risk: String
    let value: Value

    /// Where the value goes, and what it may be.
    enum Value: Sendable {
        case text(any WritableKeyPath<Configuration, String> & Sendable)
        case choice(any WritableKeyPath<Configuration, String> & Sendable, [String])
        case flag(any WritableKeyPath<Configuration, Bool> & Sendable)
        case number(any WritableKeyPath<Configuration, Int> & Sendable, unit: String, ClosedRange<Int>)
        /// 0 is written `none` where it is in the range.
        case bytes(any WritableKeyPath<Configuration, Int64> & Sendable, ClosedRange<Int64>)
        /// In seconds; 0 is written `none`.
        case span(any WritableKeyPath<Configuration, Int> & Sendable, ClosedRange<Int>)
    }

    init(_ name: String, _ value: Value, _ meaning: String, risk: String) {
        self.name = name
        self.value = value
        self.meaning = meaning
        self.risk = risk
    }

    /// The environment variable: `CUPEL_LIMITS_MEMORY`.
    public var environmentName: String {
        "CUPEL_" + name.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    /// `seconds`, `bytes`, `text`, `one of` a list, `true or false`, or what is counted.
    public var unit: String {
        switch value {
        case .text: "text"
        case .choice(_, let choices): "one of \(choices.joined(separator: ", "))"
        case .flag: "true or false"
        case .number(_, let unit, _): unit
        case .bytes: "bytes"
        case .span: "seconds, or days"
        }
    }

    /// The value in `configuration`, as the file would say it.
    public func text(in configuration: Configuration) -> String {
        switch value {
        case .text(let path), .choice(let path, _): "\"\(configuration[keyPath: path])\""
        case .flag(let path): "\(configuration[keyPath: path])"
        case .number(let path, _, _): "\(configuration[keyPath: path])"
        case .bytes(let path, let range):
            "\"\(range.contains(0) && configuration[keyPath: path] == 0 ? "none" : ByteSize.text(configuration[keyPath: path]))\""
        case .span(let path, _):
            "\"\(configuration[keyPath: path] == 0 ? "none" : TimeSpan.text(configuration[keyPath: path]))\""
        }
    }

    /// A whole file with every key at its default, each with its meaning, unit, default and risk as a comment.
    public static var documentation: String {
        let defaults = Configuration()
        var text = ""
        var table = ""
        for key in all {
            let parts = key.name.split(separator: ".").map(String.init)
            if parts.count == 2, parts[0] != table {
                table = parts[0]
                text += "[\(table)]\n\n"
            }
            text += "# \(key.meaning)\n# Unit: \(key.unit). Environment: \(key.environmentName).\n# Risk: \(key.risk)\n"
            text += "# \(parts[parts.count - 1]) = \(key.text(in: defaults))\n\n"
        }
        return text
    }
}

/// Sizes as people write them: a number of bytes, or a number with `KiB`, `MiB`, `GiB` or `TiB`.
enum ByteSize {
    private static let units: [(name: String, shift: Int64)] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]

    static func parse(_ text: String) -> Int64? {
        for unit in units where text.hasSuffix(unit.name) {
            guard let count = digits(text.dropLast(3).trimmingSpaces) else { return nil }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << unit.shift)
            return overflow ? nil : bytes
        }
        return digits(text)
    }

    static func text(_ bytes: Int64) -> String {
        for unit in units where bytes > 0 && bytes.isMultiple(of: 1 << unit.shift) {
            return "\(bytes >> unit.shift) \(unit.name)"
        }
        return "\(bytes)"
    }

    static func digits(_ text: some StringProtocol) -> Int64? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(text) : nil
    }
}

extension Substring {
    var trimmingSpaces: Substring {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
