// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import StrictJSON

/// One table of `cupel.toml`, read key by key. Each read makes its key known; ``end()`` then refuses all others.
///
/// Two kinds of refusal: `SourceError` where the file is not what `docs/cupel-toml.md` describes (``malformed(_:_:)``),
/// `UnsupportedToolchainError` where a well-formed value asks for what no attested build does (``unsupported(_:_:)``).
public struct SettingsTable: Hashable, Sendable {
    /// Bytes of one string.
    static let maximumTextLength = 1024

    /// The table's name; empty for the file itself.
    let name: String
    private let members: [String: JSONValue]
    private var known: [String] = []

    /// A table without keys.
    init(name: String) {
        self.name = name
        members = [:]
    }

    /// Throws `SourceError` where the value is no table.
    init(_ value: JSONValue, name: String) throws(BuildFailure) {
        self.name = name
        guard let members = value.objectValue else {
            throw Self.malformed(name, "a table, as in [\(name)], found \(Self.description(of: value))")
        }
        self.members = members
    }

    /// `nil` where the key is absent, as in all that follow. Never empty, at most ``maximumTextLength`` bytes, without
    /// control characters.
    package mutating func string(_ key: String) throws(BuildFailure) -> String? {
        guard let value = take(key) else { return nil }
        return try text(value, at: key)
    }

    package mutating func bool(_ key: String) throws(BuildFailure) -> Bool? {
        guard let value = take(key) else { return nil }
        guard let flag = value.boolValue else {
            throw malformed(key, "a boolean (true or false), found \(Self.description(of: value))")
        }
        return flag
    }

    /// An array of at least one string, each as ``string(_:)`` gives it. Strings may repeat.
    package mutating func texts(_ key: String) throws(BuildFailure) -> [String]? {
        guard let value = take(key) else { return nil }
        guard let elements = value.arrayValue else {
            throw malformed(key, "an array of strings, found \(Self.description(of: value))")
        }
        guard !elements.isEmpty else {
            throw malformed(key, "an array of at least one string; leave the key out for none")
        }
        var texts: [String] = []
        for element in elements { texts.append(try text(element, at: key)) }
        return texts
    }

    /// As ``texts(_:)``, each string once.
    package mutating func strings(_ key: String) throws(BuildFailure) -> [String]? {
        guard let texts = try texts(key) else { return nil }
        var seen: Set<String> = []
        for text in texts where !seen.insert(text).inserted {
            throw malformed(key, "an array of different strings, '\(shown(text))' stands there twice")
        }
        return texts
    }

    /// One of the names. Throws `UnsupportedToolchainError` for any other.
    package mutating func oneOf(_ key: String, _ names: [String]) throws(BuildFailure) -> String? {
        guard let text = try string(key) else { return nil }
        guard names.contains(text) else {
            let nearest = Spelling.nearest(to: text, among: names) ?? ""
            throw unsupported(
                key, "be one of \(names.joined(separator: ", ")), found '\(shown(text))'; did you mean '\(nearest)'?")
        }
        return text
    }

    /// A table within this one.
    package mutating func table(_ key: String) throws(BuildFailure) -> SettingsTable? {
        guard let value = take(key) else { return nil }
        return try SettingsTable(value, name: place(key))
    }

    /// Throws `SourceError` at the first key, by name, that nothing asked for, naming the nearest known one.
    package func end() throws(BuildFailure) {
        let unknown = members.keys.filter { !known.contains($0) }
        guard let key = unknown.min() else { return }
        let nearest = Spelling.nearest(to: key, among: known) ?? ""
        throw BuildFailure(
            .source,
            "\(ProjectSettings.fileName) has the unknown key '\(shown(place(key)))'; did you mean '\(nearest)'? Known "
                + "there: \(known.sorted().joined(separator: ", "))")
    }

    /// - Parameter expected: what the value must be, and what was found.
    package func malformed(_ key: String, _ expected: String) -> BuildFailure { Self.malformed(place(key), expected) }

    /// - Parameter must: what the value must be or hold, with its verb, and what was found.
    package func unsupported(_ key: String, _ must: String) -> BuildFailure {
        BuildFailure(.unsupportedToolchain, "\(ProjectSettings.fileName): '\(shown(place(key)))' must \(must)")
    }

    private static func malformed(_ place: String, _ expected: String) -> BuildFailure {
        BuildFailure(.source, "\(ProjectSettings.fileName): '\(shown(place))' must be \(expected)")
    }

    private func place(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    private mutating func take(_ key: String) -> JSONValue? {
        known.append(key)
        return members[key]
    }

    private func text(_ value: JSONValue, at key: String) throws(BuildFailure) -> String {
        guard let text = value.stringValue else {
            throw malformed(key, "a string between quotes, found \(Self.description(of: value))")
        }
        guard !text.isEmpty else { throw malformed(key, "a string, found an empty one; leave the key out instead") }
        let isClean = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isClean, text.utf8.count <= Self.maximumTextLength else {
            throw malformed(
                key,
                "a string of at most \(Self.maximumTextLength) bytes without control characters, found '\(shown(text))'"
            )
        }
        return text
    }

    private static func description(of value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .bool(let flag): "\(flag)"
        case .number: "a number"
        case .string(let text): "'\(shown(text))'"
        case .array: "an array"
        case .object: "a table"
        }
    }
}
