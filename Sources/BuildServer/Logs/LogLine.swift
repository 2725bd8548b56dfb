// SPDX-License-Identifier: Apache-2.0
package import Logging

/// One message and its facts, as one line. Whatever the facts hold, it is one line: builds and clients choose some of
/// them, and none can end a line, start another, or reach the terminal of who reads it.
package struct LogLine: Sendable {
    /// A fact as it was given.
    indirect enum Value: Sendable {
        case text(String)
        /// Already as JSON has it.
        case plain(String)
        case list([Value])
    }

    /// Members of the JSON object that no fact can replace.
    private static let ownKeys: Set<String> = ["time", "level", "label", "message"]

    private let time: String
    private let level: Logger.Level
    private let label: String
    private let message: String
    private let facts: [(key: String, value: Value)]

    /// `metadata` within metadata gets keys with dots. A fact that is called like a part of the line itself gets
    /// `metadata.` before its name.
    package init(time: String, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
        self.time = time
        self.level = level
        self.label = label
        self.message = message
        var facts: [String: Value] = [:]
        Self.flatten(metadata, under: "", into: &facts)
        self.facts = facts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// With the line feed.
    package func bytes(_ format: LogFormat) -> [UInt8] {
        switch format {
        case .text: Array(text.utf8)
        case .json: Array(json.utf8)
        }
    }

    private var json: String {
        var line = "{\"time\":\(LogText.literal(time)),\"level\":\"\(level.rawValue)\","
        line += "\"label\":\(LogText.literal(label)),\"message\":\(LogText.literal(message))"
        for (key, value) in facts { line += ",\(LogText.literal(key)):\(value.json)" }
        return line + "}\n"
    }

    private var text: String {
        var line = "\(time) \(level.rawValue) \(LogText.word(label)): \(LogText.sentence(message))"
        for (key, value) in facts { line += " \(LogText.word(key))=\(value.text)" }
        return line + "\n"
    }

    private static func flatten(_ metadata: Logger.Metadata, under prefix: String, into facts: inout [String: Value]) {
        for (key, value) in metadata {
            let name = prefix + key
            if case .dictionary(let inner) = value {
                flatten(inner, under: name + ".", into: &facts)
            } else {
                facts[ownKeys.contains(name) ? "metadata.\(name)" : name] = Value(value)
            }
        }
    }
}

extension LogLine.Value {
    init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .text(text)
        case .stringConvertible(let value): self = Self.plain(value).map { .plain($0) } ?? .text("\(value)")
        case .array(let values): self = .list(values.map(Self.init))
        case .dictionary(let members):
            self = .list(members.sorted { $0.key < $1.key }.map { .text("\($0.key)=\($0.value)") })
        }
    }

    /// Numbers and truth values stay what they are.
    private static func plain(_ value: any CustomStringConvertible) -> String? {
        switch value {
        case let number as any BinaryInteger: "\(number)"
        case let number as Double where number.isFinite: "\(number)"
        case let flag as Bool: "\(flag)"
        default: nil
        }
    }

    var json: String {
        switch self {
        case .text(let text): LogText.literal(text)
        case .plain(let text): text
        case .list(let values): "[\(values.map(\.json).joined(separator: ","))]"
        }
    }

    var text: String {
        switch self {
        case .text(let text): LogText.word(text)
        case .plain(let text): text
        case .list: json
        }
    }
}
