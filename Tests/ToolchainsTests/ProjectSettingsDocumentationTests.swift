// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Testing
import Toolchains

/// What the documentation shows is what is read.
@Suite struct ProjectSettingsDocumentationTests {
    private static func page() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/cupel-toml.md"), encoding: .utf8)
    }

    @Test func everyExampleIsRead() throws {
        let blocks = try Self.page().split(separator: "```toml\n").dropFirst()
        let examples = blocks.compactMap { block in block.firstRange(of: "```").map { block[..<$0.lowerBound] } }
        #expect(examples.count >= 3)
        for example in examples {
            let settings = try ProjectSettings(
                parsing: Array(example.utf8), toolchains: ProjectSettingsTests.toolchains)
            _ = try CargoSettings(settings.table(of: "cargo"))
            _ = try NixSettings(settings.table(of: "nix"))
        }
    }

    @Test func everyKeyAndArgumentIsExplained() throws {
        let page = try Self.page()
        let tables = try ProjectSettings(
            parsing: Array("[cargo]\n' ' = 1\n[nix]\n' ' = 1".utf8), toolchains: ProjectSettingsTests.toolchains)
        let refusals = [
            failure { _ = try ProjectSettings(parsing: Array("' ' = 1".utf8), toolchains: ["cargo", "nix"]) },
            failure { _ = try CargoSettings(tables.table(of: "cargo")) },
            failure { _ = try NixSettings(tables.table(of: "nix")) },
        ]
        for refusal in refusals {
            let keys = try #require(refusal).message.split(separator: "Known there: ")
            try #require(keys.count == 2)
            for key in keys[1].split(separator: ", ") { #expect(page.contains("| `\(key)` |"), "\(key)") }
        }
        for arguments in [CargoSettings.argumentNames, NixSettings.argumentNames] {
            for name in arguments { #expect(Self.names(name, in: page), "\(name)") }
        }
        #expect(!Self.names("--bi", in: page) && !Self.names("--lib", in: "`--libs`"))
    }

    /// Whether the page shows the argument by itself, or with its value.
    private static func names(_ argument: String, in page: String) -> Bool {
        page.contains("`\(argument)`") || page.contains("`\(argument) ")
    }
}
