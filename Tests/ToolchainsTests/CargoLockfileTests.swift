// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import StrictJSON
import Testing
import Toolchains

@Suite struct CargoLockfileTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let file: String
        let packages, registry, git, local, checksums: Int
        var testDescription: String { file }
    }

    static let vectors: [Vector] = {
        let path = Shared.root + "/vectors/locks/INDEX.json"
        guard let bytes = FileManager.default.contents(atPath: path),
            let index = try? JSONValue(parsing: Array(bytes))
        else { return [] }
        return (index["vectors"]?.arrayValue ?? []).compactMap { vector in
            guard let file = vector["files"]?["lock"]?.stringValue, file.hasSuffix("Cargo.lock"),
                let expected = vector["expected"]
            else { return nil }
            func count(_ key: String) -> Int { expected[key]?.integerValue ?? -1 }
            return Vector(
                file: file, packages: count("packages"), registry: count("registry"), git: count("git"),
                local: count("local"), checksums: count("checksums"))
        }
    }()

    @Test(.enabled(if: Shared.has("vectors/locks"), "the shared vectors are not there"), arguments: vectors)
    func realLockfilesHoldWhatTheirIndexSays(_ vector: Vector) throws {
        let bytes = try #require(FileManager.default.contents(atPath: Shared.root + "/vectors/locks/" + vector.file))
        let packages = try CargoLockfile(parsing: Array(bytes)).packages
        #expect(packages.count == vector.packages)
        #expect(packages.count { if case .registry? = $0.source { true } else { false } } == vector.registry)
        #expect(packages.count { if case .git? = $0.source { true } else { false } } == vector.git)
        #expect(packages.count { $0.source == nil } == vector.local)
        #expect(packages.count { $0.checksum?.utf8.count == 64 } == vector.checksums)
    }

    @Test(.enabled(if: Shared.has("vectors/locks"), "the shared vectors are not there"))
    func everyTruncationOfARealLockfileIsRefusedOrWhole() throws {
        let path = Shared.root + "/vectors/locks/ripgrep.Cargo.lock"
        let bytes = Array(try #require(FileManager.default.contents(atPath: path)))
        let whole = try CargoLockfile(parsing: bytes)
        for length in stride(from: 0, to: bytes.count - 200, by: 101) {
            let parsed = try? CargoLockfile(parsing: Array(bytes[..<length]))
            #expect(parsed == nil || parsed?.packages != whole.packages)
            #expect(failureKind { _ = try CargoLockfile(parsing: Array(bytes[..<length])) } ?? .lockfile == .lockfile)
        }
    }

    static let package = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n"

    static let malformed: [(String, String)] = [
        ("no version", package),
        ("format 2", "version = 2\n" + package),
        ("format 5", "version = 5\n" + package),
        ("a version that is text", "version = \"4\"\n" + package),
        ("no package", "version = 4\n"),
        ("no TOML", "version = = 4"),
        ("a package without version", "version = 4\n[[package]]\nname = \"a\"\n"),
        ("a package without name", "version = 4\n[[package]]\nversion = \"1.0.0\"\n"),
        ("a name that is a path", "version = 4\n[[package]]\nname = \"../a\"\nversion = \"1.0.0\"\n"),
        ("a version that is a path", "version = 4\n[[package]]\nname = \"a\"\nversion = \"1/../..\"\n"),
        ("the same package twice", "version = 4\n" + package + package),
        ("an unknown key", "version = 4\n" + package + "hash = \"x\"\n"),
        ("an unknown table", "version = 4\nextra = 1\n" + package),
        ("an unknown source", "version = 4\n" + package + "source = \"ftp+x\"\n"),
        ("a checksum that is no text", "version = 4\n" + package + "checksum = 7\n"),
        ("a dependency that is not there", "version = 4\n" + package + "dependencies = [\"b\"]\n"),
        ("a dependency of another version", "version = 4\n" + package + "dependencies = [\"a 2.0.0\"]\n"),
        ("a table twice", "version = 4\nversion = 4\n" + package),
    ]

    @Test(arguments: malformed)
    func malformedLockfilesAreRefused(_ what: String, _ text: String) {
        #expect(failureKind { _ = try CargoLockfile(parsing: Array(text.utf8)) } == .lockfile, "\(what)")
    }

    @Test(arguments: ["\u{D4E}/e", "a/\u{301}", "\u{600}/"]) func namesHoldNoSlash(_ name: String) {
        let text = "version = 4\n[[package]]\nname = \"\(name)\"\nversion = \"1.0.0\"\n"
        #expect(failureKind { _ = try CargoLockfile(parsing: Array(text.utf8)) } == .lockfile)
    }

    static let hostile: [String: String] = [
        "brackets": String(repeating: "[", count: 100_000),
        "nested arrays": "a = " + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000),
        "nested tables": "a = " + String(repeating: "{a=", count: 5000),
        "a dotted key": String(repeating: "a.", count: 200_000) + "a = 1",
        "a dotted header": "[" + String(repeating: "a.", count: 200_000) + "a]",
        "a quoted dotted key": String(repeating: "\"a\".", count: 200_000) + "a = 1",
        "a zero byte": "version = 4\n\0",
        "a zero character in a key": "\"version\\u0000x\" = 4\n",
        "a zero character in a long string": "a = \"\"\"x\\U00000000\"\"\"\n",
        "bytes that are no UTF-8": "\u{FEFF}\u{1}",
        "more than the largest size": String(repeating: "#\n", count: CargoLockfile.maximumSize),
    ]

    @Test(arguments: hostile.keys.sorted())
    func hostileTextIsRefusedBeforeItIsParsed(_ what: String) throws {
        let text = try #require(Self.hostile[what])
        #expect(failureKind { _ = try CargoLockfile(parsing: Array(text.utf8)) } == .lockfile)
    }

    @Test func invalidUTF8IsRefused() {
        let bytes = Array("version = 4\n".utf8) + [0xFF, 0xFE]
        #expect(failureKind { _ = try CargoLockfile(parsing: bytes) } == .lockfile)
    }

    @Test func dotsAndBracketsWithinTextDoNotCount() throws {
        let noise = "# [[[[ " + String(repeating: ".", count: 100) + "\n"
        let text = "version = 4\n" + noise + Self.package + "checksum = '" + String(repeating: "[.", count: 100) + "'\n"
        #expect(try CargoLockfile(parsing: Array(text.utf8)).packages.count == 1)
    }

    static let sources: [(String, String, String)] = [
        ("registry+https://github.com/rust-lang/crates.io-index", "1.2.3+x", "pkg:cargo/a@1.2.3%2Bx"),
        ("sparse+https://index.crates.io/", "1.0.0", "pkg:cargo/a@1.0.0"),
        (
            "registry+https://crates.example/i", "1.0.0",
            "pkg:cargo/a@1.0.0?repository_url=https://crates.example/i"
        ),
        (
            "sparse+https://crates.example/i/", "1.0.0",
            "pkg:cargo/a@1.0.0?repository_url=https://crates.example/i/"
        ),
        (
            "git+https://git.example/r?branch=b#0123456789012345678901234567890123456789", "1.0.0",
            "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps://git.example/r%400123456789012345678901234567890123456789"
        ),
    ]

    @Test(arguments: sources)
    func sourcesBecomePackageURLs(_ source: String, _ version: String, _ expected: String) throws {
        let text = "version = 4\n[[package]]\nname = \"a\"\nversion = \"\(version)\"\nsource = \"\(source)\"\n"
        #expect(try CargoLockfile(parsing: Array(text.utf8)).packages.first?.packageURL == expected)
    }
}
