// SPDX-License-Identifier: Apache-2.0
public import Builds

/// The table `[nix]` of `cupel.toml`: which output of a flake is built, and how.
public struct NixSettings: Hashable, Sendable {
    /// The parts of the attribute's path, without quotes; empty for the flake's default package.
    public private(set) var attributePath: [String] = []
    /// For `nix-store --realise`: checked, with the values of options as arguments of their own.
    public private(set) var arguments: [String] = []

    /// Without a table.
    public init() {}

    /// Throws `SourceError` for unknown keys and wrong types, `UnsupportedToolchainError` for values that are not
    /// allowed.
    public init(_ table: SettingsTable) throws(BuildFailure) {
        var table = table
        arguments = try Self.allowedArguments.read("arguments", from: &table)
        let attribute = try table.string("attribute")
        try table.end()
        guard let attribute else { return }
        guard let path = Self.parts(of: attribute) else {
            throw table.unsupported(
                "attribute",
                "be the path of an attribute, as 'packages.x86_64-linux.hello' or 'packages.x86_64-linux.\"a.b\"', of "
                    + "letters, digits and _ - ' (between quotes also . + @), found '\(shown(attribute))'")
        }
        attributePath = path
    }

    /// The attribute as it stands behind `#` of an installable; `nil` for the default package. Each part that needs
    /// quotes has them.
    public var attribute: String? {
        guard !attributePath.isEmpty else { return nil }
        return attributePath.map { isPlainName($0, others: "_-'") ? $0 : "\"\($0)\"" }.joined(separator: ".")
    }

    /// For the tests of the documentation.
    package static var argumentNames: [String] { allowedArguments.names }

    private static let allowedArguments = CheckedArguments(
        flags: ["--keep-going", "--verbose", "-k", "-v"],
        options: ["--cores": .number(0...1024), "--max-jobs": .number(1...1024)], keys: [:])

    /// `nil` where the text is no path of attributes. Characters that mean something in an installable (`#`, `^`, `?`,
    /// `%`) are in none.
    private static func parts(of attribute: String) -> [String]? {
        var parts: [String] = []
        var rest = attribute.utf8[...]
        repeat {
            let isQuoted = rest.first == UInt8(ascii: "\"")
            if isQuoted { rest = rest.dropFirst() }
            let end = rest.firstIndex(of: UInt8(ascii: isQuoted ? "\"" : ".")) ?? rest.endIndex
            guard let part = String(rest[..<end]), isPlainName(part, others: isQuoted ? "_-'.+@" : "_-'") else {
                return nil
            }
            parts.append(part)
            rest = rest[end...]
            if isQuoted {
                guard !rest.isEmpty else { return nil }
                rest = rest.dropFirst()
            }
            guard !rest.isEmpty else { return parts }
        } while rest.popFirst() == UInt8(ascii: ".")
        return nil
    }
}
