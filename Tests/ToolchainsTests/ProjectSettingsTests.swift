// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import StrictJSON
import Testing
import Toolchains

@Suite struct ProjectSettingsTests {
    static let toolchains = ["nix", "cargo"]

    private func parsed(_ text: String) throws -> ProjectSettings {
        try ProjectSettings(parsing: Array(text.utf8), toolchains: Self.toolchains)
    }

    private func failureFor(_ text: String) -> BuildFailure? { failure { _ = try parsed(text) } }

    private func read(_ project: TestProject) throws -> ProjectSettings {
        try ProjectSettings.read(sourceRoot: project.root, toolchains: Self.toolchains)
    }

    @Test func withoutAFileEverythingHasItsDefault() throws {
        let settings = try read(TestProject(["Cargo.toml": ""]))
        #expect(settings == ProjectSettings())
        #expect(settings.toolchain == nil && settings.directory.isEmpty && settings.artifacts.isEmpty)
        #expect(settings.json == nil)
        #expect(settings.enclosingFolders == [""])
    }

    @Test func aWholeFileIsRead() throws {
        let text = """
            toolchain = "cargo" # the flake is for development
            directory = "tools/cli"
            artifacts = ["bin/*", "lib/**/*.so"]
            [cargo]
            features = ["x"]
            [nix]
            attribute = "hello"
            """
        let project = try TestProject(["cupel.toml": text, "tools/cli/Cargo.toml": ""])
        let settings = try read(project)
        #expect(settings.toolchain == "cargo")
        #expect(settings.directory == "tools/cli")
        #expect(settings.enclosingFolders == ["tools/cli", "tools", ""])
        #expect(settings.artifacts.map(\.text) == ["bin/*", "lib/**/*.so"])
        #expect(try CargoSettings(settings.table(of: "cargo")).features == ["x"])
        #expect(try NixSettings(settings.table(of: "nix")).attribute == "hello")
    }

    @Test func theProvenanceHasWhatStandsThereAndNothingElse() throws {
        let json = try parsed("directory = 'a'\n[cargo]\nfeatures = ['x']\n").json
        let expected = #"{"cargo":{"features":["x"]},"directory":"a"}"#
        #expect(json.map { String(decoding: $0.canonicalBytes, as: UTF8.self) } == expected)
        #expect(try parsed("").json == [:])
    }

    @Test func aToolchainOfWhichNothingIsSaidHasAnEmptyTable() throws {
        #expect(try CargoSettings(parsed("").table(of: "cargo")) == CargoSettings())
        #expect(try NixSettings(parsed("").table(of: "nix")) == NixSettings())
    }

    static let malformed: [(String, String)] = [
        ("'tolchain'; did you mean 'toolchain'", "tolchain = 'cargo'"),
        ("'carg'; did you mean 'cargo'", "[carg]"),
        ("'bazel'", "[bazel]\ntarget = 'x'"),
        ("Known there: artifacts, cargo, directory, nix, toolchain", "x = 1"),
        ("'toolchain' must be a string between quotes, found a number", "toolchain = 1"),
        ("'toolchain' must be a string between quotes, found an array", "toolchain = ['cargo']"),
        ("'toolchain' must be a string, found an empty one", "toolchain = ''"),
        ("'directory' must be a string between quotes, found true", "directory = true"),
        ("'directory'", "directory = \"a\\u0007\""),
        ("'directory' must be", "directory = \"a\\u0600/../b\""), ("'directory' must be", "directory = \"/\\u0301a\""),
        ("'directory'", "directory = '\(String(repeating: "a/", count: 600))a'"),
        ("'artifacts' must be an array of strings, found 'bin/*'", "artifacts = 'bin/*'"),
        ("'artifacts' must be an array of at least one string", "artifacts = []"),
        ("'artifacts' must be a string between quotes, found a number", "artifacts = ['a', 2]"),
        ("'artifacts' must be a string, found an empty one", "artifacts = ['']"),
        ("'a' stands there twice", "artifacts = ['a', 'b', 'a']"),
        ("at most 64 globs", "artifacts = [\((0...64).map { "'\($0)'" }.joined(separator: ","))]"),
        ("'artifacts' has the glob '/bin'", "artifacts = ['/bin']"),
        ("'cargo' must be a table", "cargo = 'release'"),
        ("'nix' must be a table", "[[nix]]\nattribute = 'x'"),
        ("cupel.toml line", "toolchain = "),
        ("cupel.toml line", "toolchain = 'cargo"),
        ("cupel.toml line", "[cargo"),
        ("cupel.toml line", "toolchain = 'cargo'\ntoolchain = 'nix'"),
        ("cupel.toml line", "[cargo]\n[nix]\n[cargo]"),
        ("cupel.toml line", "cargo.profile = 'dev'\n[cargo]\nprofile = 'dev'"),
    ]

    @Test(arguments: malformed)
    func whatIsNotDescribedIsRefused(_ reason: String, _ text: String) throws {
        let failure = try #require(failureFor(text))
        #expect(failure.kind == .source)
        #expect(failure.message.contains(reason) && failure.message.contains("cupel.toml"), "\(failure.message)")
    }

    static let hostile: [String: [UInt8]] = [
        "brackets": Array(repeating: UInt8(ascii: "["), count: 60_000),
        "nested tables": Array(("a = " + String(repeating: "{a=", count: 20_000)).utf8),
        "a dotted key": Array((String(repeating: "a.", count: 30_000) + "a = 1").utf8),
        "a dotted header": Array(("[" + String(repeating: "a.", count: 30_000) + "a]").utf8),
        "a zero byte": Array("toolchain = 'cargo'\n\0".utf8),
        "a zero character": Array("directory = \"a\\u0000\"".utf8),
        "no UTF-8": Array("toolchain = '".utf8) + [0xFF, UInt8(ascii: "'")],
        "one byte too many": Array(repeating: UInt8(ascii: "\n"), count: ProjectSettings.maximumSize + 1),
        "a million entries": Array((0..<1_000_000).map { "a\($0) = 1\n" }.joined().utf8),
        "as many entries as fit": Array((0..<6000).map { "a\($0) = 1\n" }.joined().utf8),
    ]

    @Test(arguments: hostile.keys.sorted())
    func hostileTextIsRefused(_ what: String) throws {
        let bytes = try #require(Self.hostile[what])
        #expect(failureKind { _ = try ProjectSettings(parsing: bytes, toolchains: Self.toolchains) } == .source)
        let project = try TestProject()
        try project.write("cupel.toml", bytes)
        #expect(failureKind { _ = try read(project) } == .source)
    }

    @Test func theLargestSizeIsStillRead() throws {
        let text = "toolchain = 'nix'\n"
        let padding = String(repeating: "\n", count: ProjectSettings.maximumSize - text.utf8.count)
        #expect(try parsed(text + padding).toolchain == "nix")
    }

    /// Cut anywhere, it is refused, or is as short a file as it looks.
    @Test func aFileThatIsCutIsReadOrRefusedAsOne() throws {
        let text = "toolchain = 'cargo'\ndirectory = 'a/b'\nartifacts = ['x', 'y*']\n[cargo]\nfeatures = ['x']\n"
        for length in 0...text.utf8.count {
            let cut = String(text.prefix(length))
            guard let failure = failureFor(cut) else { continue }
            #expect(failure.kind == .source || failure.kind == .unsupportedToolchain, "\(cut)")
        }
        #expect(failureFor(text) == nil)
    }

    /// Whatever stands in a file: settings or an error, never a trap.
    @Test func everyChangedByteIsReadOrRefused() throws {
        let text = Array(
            "toolchain = 'nix'\ndirectory = 'a'\nartifacts = ['[a-z]*']\n[nix]\nattribute = 'a.\"b\"'\n".utf8)
        for index in text.indices {
            for byte in [0, 0x0A, 0x22, 0x27, 0x2E, 0x5B, 0x5D, 0x7B, 0x80, 0xFF] as [UInt8] {
                var changed = text
                changed[index] = byte
                let failure = failure {
                    let settings = try ProjectSettings(parsing: changed, toolchains: Self.toolchains)
                    _ = try NixSettings(settings.table(of: "nix"))
                    _ = try settings.artifacts.select(["a"])
                }
                let kinds: [BuildFailure.Kind?] = [nil, .source, .unsupportedToolchain, .artifact]
                #expect(kinds.contains(failure?.kind), "\(String(decoding: changed, as: UTF8.self))")
            }
        }
    }

    @Test func anUnknownToolchainIsNamed() throws {
        let failure = try #require(failureFor("toolchain = 'carg'"))
        #expect(failure.kind == .unsupportedToolchain)
        #expect(failure.message.contains("one of nix, cargo, found 'carg'; did you mean 'cargo'"))
    }

    @Test(arguments: ["/a", "a/", "a//b", ".", "..", "../a", "a/../b", "./a", "a/.", "/"])
    func directoriesThatAreNoPlainPathsAreRefused(_ path: String) {
        #expect(failureFor("directory = '\(path)'")?.kind == .source)
    }

    @Test func theDirectoryIsAFolderOfTheSource() throws {
        let project = try TestProject(["cli/Cargo.toml": "", "file": ""])
        try project.link("out", to: "/etc")
        try project.link("inner", to: "cli")
        for (path, reason) in [
            ("missing", "'missing' is none"), ("cli/missing", "'cli/missing' is none"), ("file", "'file' is none"),
            ("file/x", "'file' is none"), ("out", "'out' is a link"), ("inner", "'inner' is a link"),
            ("out/ssl", "'out' is a link"),
        ] {
            try project.write("cupel.toml", "directory = '\(path)'")
            let failure = try #require(failure { _ = try read(project) })
            #expect(failure.kind == .source && failure.message.contains(reason), "\(failure.message)")
        }
        try project.write("cupel.toml", "directory = 'cli'")
        #expect(try read(project).directory == "cli")
    }

    @Test func aFileThatIsNoneIsRefused() throws {
        let folder = try TestProject(["cupel.toml/x": ""])
        #expect(failure { _ = try read(folder) }?.message.contains("not a regular file") == true)
        let fifo = try TestProject()
        try #require(mkfifo(fifo.root + "/cupel.toml", 0o600) == 0)
        #expect(failure { _ = try read(fifo) }?.message.contains("not a regular file") == true)
    }

    @Test func linksAreFollowedWithinTheSourceOnly() throws {
        let project = try TestProject(["settings/mine.toml": "toolchain = 'nix'"])
        try project.link("cupel.toml", to: "settings/mine.toml")
        #expect(try read(project).toolchain == "nix")
        for target in ["/etc/hostname", "../x", "missing", "cupel.toml"] {
            try project.remove("cupel.toml")
            try project.link("cupel.toml", to: target)
            #expect(failureKind { _ = try read(project) } == .source, "\(target)")
        }
    }
}
