// SPDX-License-Identifier: Apache-2.0
import Builds
import StrictJSON

extension Configuration {
    /// A configuration file that has been read, with the name that errors call it by.
    public struct File: Sendable {
        let name: String
        let text: String

        /// `text` is TOML.
        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// Variables that start with `CUPEL_` and are no settings of the server.
    public static let otherVariables: Set<String> = ["CUPEL_CONFIG", "CUPEL_SERVER", "CUPEL_SHARED"]

    /// The settings: defaults, then the file, then the environment, then the command line; the later one wins.
    ///
    /// `overrides` holds names of ``ConfigurationKey`` and values as text. Throws at a key or `CUPEL_` variable that is
    /// unknown, at one that stands twice, and at a value of the wrong type or out of its range.
    public static func load(
        file: File? = nil, environment: [String: String] = [:], overrides: [String: String] = [:],
        isRoot: Bool = false
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        configuration.data = defaultDataFolder(environment: environment, isRoot: isRoot)
        if let file { try configuration.apply(file) }
        try configuration.apply(environment: environment)
        for (name, text) in overrides.sorted(by: { $0.key < $1.key }) {
            let key = try ConfigurationKey.named(name, place: "on the command line")
            try key.set(.text(text), in: &configuration, place: "on the command line")
        }
        _ = try ClientNaming(configuration.clients)
        return configuration
    }

    private mutating func apply(_ file: File) throws(ConfigurationError) {
        let document = try file.document()
        for (name, value) in Self.sorted(document) {
            guard case .object = value else {
                try set(name, value, place: "in \(file.name)")
                continue
            }
            for (innerName, innerValue) in Self.sorted(value) {
                try set("\(name).\(innerName)", innerValue, place: "in \(file.name)")
            }
        }
    }

    /// So that of several errors always the same one is shown.
    private static func sorted(_ table: JSONValue) -> [(key: String, value: JSONValue)] {
        (table.objectValue ?? [:]).sorted { $0.key < $1.key }
    }

    private mutating func set(_ name: String, _ value: JSONValue, place: String) throws(ConfigurationError) {
        let key = try ConfigurationKey.named(name, place: place)
        let given: ConfigurationKey.Given =
            switch value {
            case .bool(let flag): .flag(flag)
            case .string(let text): .quoted(text)
            default: value.integerValue.map { .number($0) } ?? .other
            }
        try key.set(given, in: &self, place: place)
    }

    private mutating func apply(environment: [String: String]) throws(ConfigurationError) {
        let keys = Dictionary(uniqueKeysWithValues: ConfigurationKey.all.map { ($0.environmentName, $0) })
        for (name, text) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("CUPEL_") && !Self.otherVariables.contains(name) {
            guard let key = keys[name] else {
                throw .unknown(name, among: Array(keys.keys), place: "in the environment")
            }
            try key.set(.text(text), in: &self, place: "in the environment")
        }
    }
}

extension ConfigurationKey {
    /// A value as it was given: TOML knows types, the environment and the command line know text.
    enum Given {
        case text(String)
        case quoted(String)
        case number(Int)
        case flag(Bool)
        /// What no setting takes.
        case other
    }

    static func named(_ name: String, place: String) throws(ConfigurationError) -> ConfigurationKey {
        guard let key = all.first(where: { $0.name == name }) else {
            throw .unknown(name, among: all.map(\.name), place: place)
        }
        return key
    }

    func set(_ given: Given, in configuration: inout Configuration, place: String) throws(ConfigurationError) {
        switch value {
        case .text(let path):
            guard let text = given.string, !text.isEmpty else { throw wrong("text that is not empty", place) }
            configuration[keyPath: path] = text
        case .choice(let path, let choices):
            guard let text = given.string, choices.contains(text) else {
                throw wrong("one of \(choices.joined(separator: ", "))", place)
            }
            configuration[keyPath: path] = text
        case .flag(let path):
            guard let flag = given.boolean else { throw wrong("true or false", place) }
            configuration[keyPath: path] = flag
        case .number(let path, let unit, let range):
            guard let number = given.integer, range.contains(number) else {
                throw wrong("a whole number of \(unit) from \(range.lowerBound) to \(range.upperBound)", place)
            }
            configuration[keyPath: path] = number
        case .bytes(let path, let range):
            guard let bytes = given.isNone && range.contains(0) ? 0 : given.bytes, range.contains(bytes) else {
                let most = ByteSize.text(range.upperBound)
                throw wrong("a number of bytes or a size such as \"512 MiB\", \(range.lowerBound) to \(most)", place)
            }
            configuration[keyPath: path] = bytes
        case .span(let path, let range):
            guard let seconds = given.isNone ? 0 : given.seconds, range.contains(seconds) else {
                throw wrong("none, a number of seconds, or a time such as \"30 days\" or \"12 hours\"", place)
            }
            configuration[keyPath: path] = seconds
        }
    }

    private func wrong(_ expected: String, _ place: String) -> ConfigurationError {
        ConfigurationError("\(name) \(place) must be \(expected)")
    }
}

extension ConfigurationKey.Given {
    fileprivate var string: String? {
        switch self {
        case .text(let text), .quoted(let text): text
        default: nil
        }
    }

    fileprivate var boolean: Bool? {
        switch self {
        case .flag(let flag): flag
        case .text("true"), .text("1"), .text("yes"): true
        case .text("false"), .text("0"), .text("no"): false
        default: nil
        }
    }

    fileprivate var integer: Int? {
        switch self {
        case .number(let number): number
        case .text(let text): ByteSize.digits(text).flatMap { Int(exactly: $0) }
        default: nil
        }
    }

    fileprivate var isNone: Bool { string == "none" }

    fileprivate var seconds: Int? {
        switch self {
        case .number(let number): number
        case .text(let text), .quoted(let text): TimeSpan.parse(text)
        default: nil
        }
    }

    fileprivate var bytes: Int64? {
        switch self {
        case .number(let number): Int64(number)
        case .text(let text), .quoted(let text): ByteSize.parse(text)
        default: nil
        }
    }
}

extension ConfigurationError {
    static func unknown(_ name: String, among known: [String], place: String) -> ConfigurationError {
        let nearest = Spelling.nearest(to: name, among: known)
        return ConfigurationError("unknown setting \(name) \(place)", hint: nearest.map { "did you mean \($0)?" })
    }
}
