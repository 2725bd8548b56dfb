// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

@Suite struct NixSettingsTests {
    private func settings(_ lines: String) throws -> NixSettings {
        let file = try ProjectSettings(parsing: Array("[nix]\n\(lines)\n".utf8), toolchains: ["nix"])
        return try NixSettings(file.table(of: "nix"))
    }

    @Test func withoutATableTheDefaultPackageIsBuilt() throws {
        #expect(NixSettings().attribute == nil && NixSettings().arguments.isEmpty)
        #expect(try settings("") == NixSettings())
    }

    static let attributes: [(String, [String], String)] = [
        ("hello", ["hello"], "hello"),
        ("packages.x86_64-linux.hello", ["packages", "x86_64-linux", "hello"], "packages.x86_64-linux.hello"),
        (
            "packages.x86_64-linux.\"gcc-12.1\"", ["packages", "x86_64-linux", "gcc-12.1"],
            "packages.x86_64-linux.\"gcc-12.1\""
        ),
        ("\"c++'s\"", ["c++'s"], "\"c++'s\""),
        ("\"hello\".a'", ["hello", "a'"], "hello.a'"),
        ("2048-in-terminal", ["2048-in-terminal"], "2048-in-terminal"),
    ]

    @Test(arguments: attributes)
    func attributesAreSplitIntoParts(_ text: String, _ path: [String], _ shown: String) throws {
        let settings = try settings("attribute = '''\(text)'''")
        #expect(settings.attributePath == path)
        #expect(settings.attribute == shown)
    }

    @Test(arguments: [
        ".", ".a", "a.", "a..b", "a#b", "a^out", "a b", "a?dir=x", "a%20", "a\"b\"", "\"a", "\"a\"b", "\"\"",
        "\"a\"\"b\"",
        "a.\"\"", "-a", "--impure", "a/b", "$x", "a;b", "a${x}", "\"a\\\"\"", "\"${x}\"", "ä", "\"a#b\"", "\"-a\"", "*",
        ".#a", "path:a",
    ])
    func whatIsNoAttributeIsRefused(_ text: String) throws {
        let failure = try #require(failure { _ = try settings("attribute = '''\(text)'''") })
        #expect(failure.kind == .unsupportedToolchain)
        #expect(failure.message.contains("'nix.attribute'"), "\(failure.message)")
    }

    @Test func argumentsAreChecked() throws {
        let lines = "arguments = ['--cores=0', '--max-jobs', '4', '--keep-going', '-v']"
        #expect(try settings(lines).arguments == ["--cores", "0", "--max-jobs", "4", "--keep-going", "-v"])
        for text in [
            "'--impure'", "'--option', 'sandbox', 'false'", "'--max-jobs=0'", "'--max-jobs', 'auto'", "'--cores'",
            "'--builders', 'ssh://x'", "'--store', '/tmp'", "'--substituters=https://x'", "'--check'", "'/nix/store/x'",
            "'-o', '/tmp/x'", "'--fallback'", "'--keep-failed'",
        ] {
            #expect(failureKind { _ = try settings("arguments = [\(text)]") } == .unsupportedToolchain, "\(text)")
        }
    }

    @Test func whatIsNotDescribedIsRefused() throws {
        for text in ["attributes = 'a'", "attribute = 1", "attribute = ''", "arguments = []", "package = 'a'"] {
            #expect(failureKind { _ = try settings(text) } == .source, "\(text)")
        }
        #expect(failure { _ = try settings("atribute = 'a'") }?.message.contains("'attribute'") == true)
    }
}
