// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Testing
import Toolchains

@Suite struct GlobTests {
    static let fitting: [(String, [String])] = [
        ("hello", ["hello"]),
        ("*", ["hello", ".hidden", "größe"]),
        ("bin/*", ["bin/a", "bin/.a"]),
        ("bin/*.so", ["bin/a.so", "bin/.so"]),
        ("a*b*c", ["abc", "aXbXc", "abbcbc"]),
        ("?", ["a", "ß", ".", "*"]),
        ("a?c", ["abc", "a?c"]),
        ("**", ["a", "a/b", "a/b/c"]),
        ("**/a", ["a", "b/a", "b/c/a", "a/a"]),
        ("a/**", ["a/b", "a/b/c"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/b"]),
        ("lib/**/*.so", ["lib/a.so", "lib/x/a.so", "lib/x/y/.so"]),
        ("**/a/**/b", ["a/b", "x/a/a/x/b"]),
        ("**/**", ["a", "a/b"]),
        ("[ab]", ["a", "b"]),
        ("[a-c]x", ["ax", "bx", "cx"]),
        ("[!a-c]", ["d", "]", "!"]),
        ("[]]", ["]"]),
        ("[!]a]", ["b"]),
        ("[]-a]", ["]", "_", "a"]),
        ("[a-]", ["a", "-"]),
        ("[-a]", ["a", "-"]),
        ("[*]", ["*"]),
        ("[{]x[}]", ["{x}"]),
        ("[\\]", ["\\"]),
        ("a]", ["a]"]),
        ("a\u{600}/*", ["a\u{600}/b", "a\u{600}/\u{301}b"]),
    ]

    @Test(arguments: fitting)
    func globsFit(_ glob: String, _ names: [String]) throws {
        for name in names { #expect(try Glob(glob).matches(name), "\(name)") }
    }

    static let unfitting: [(String, [String])] = [
        ("hello", ["Hello", "hell", "hello2", "bin/hello", "hello/x", ""]),
        ("*", ["a/b"]),
        ("bin/*", ["bin", "bin/a/b", "sbin/a"]),
        ("a*b*c", ["ab", "acb", "abcd", "a/b/c"]),
        ("?", ["", "ab", "/"]),
        ("a/**", ["a", "b/a"]),
        ("**/a", ["ab", "a/b", "ba"]),
        ("a/**/b", ["ab", "a", "b", "a/xb", "xa/b"]),
        ("lib/**/*.so", ["lib", "a.so", "lib/a.so.1", "lib64/a.so"]),
        ("[ab]", ["c", "ab", "[ab]", ""]),
        ("[!a]", ["a", "", "/"]),
        ("[a-c]", ["d", "-", "B"]),
        ("é", ["e\u{301}"]),
        ("K", ["\u{212A}"]),
    ]

    @Test(arguments: unfitting)
    func otherNamesDoNotFit(_ glob: String, _ names: [String]) throws {
        for name in names { #expect(try !Glob(glob).matches(name), "\(name)") }
    }

    static let malformed: [(String, String)] = [
        ("", "path"), ("/a", "path"), ("a/", "path"), ("a//b", "path"), (".", "path"), ("a/../b", "path"),
        ("./a", "path"), ("a**", "whole part"), ("**a/b", "whole part"), ("a/***", "whole part"), ("[", "without"),
        ("[a", "without"), ("[]", "without"), ("[!]", "without"), ("[a/b]", "without"), ("[z-a]", "empty"),
        ("[^a]", "'!'"), ("[[:alpha:]]", "range"), ("*.{a,so}", "'[{]'"), ("a}", "'[}]'"), ("\\*", "'[\\]'"),
        (String(repeating: "a", count: 257), "longer"),
    ]

    @Test(arguments: malformed)
    func globsWithoutAMeaningAreRefused(_ glob: String, _ reason: String) throws {
        let failure = try #require(failure { _ = try Glob(glob) })
        #expect(failure.kind == .source)
        #expect(failure.message.contains(reason), "\(failure.message)")
    }

    @Test func withoutGlobsAllNamesAreSelected() throws {
        #expect(try [Glob]().select(["a", "b/c"]) == ["a", "b/c"])
        #expect(try [Glob]().select([]) == [])
    }

    @Test func whatOneGlobFitsIsSelected() throws {
        let names = ["bin/a", "bin/b", "lib/x/y.so", "share/doc"]
        #expect(try [Glob("bin/a"), Glob("lib/**/*.so")].select(names) == ["bin/a", "lib/x/y.so"])
        #expect(try [Glob("bin/*"), Glob("**/a")].select(names) == ["bin/a", "bin/b"])
    }

    @Test func aGlobThatFitsNothingIsNamed() throws {
        let names = (1...7).map { "bin/\($0)" }
        let failure = try #require(failure { _ = try [Glob("bin/*"), Glob("lib/*")].select(names) })
        #expect(failure.kind == .artifact)
        #expect(failure.message.contains("'lib/*'") && failure.message.contains("'bin/1'"))
        #expect(failure.message.contains("and 2 more"))
        #expect(failureKind { _ = try [Glob("*")].select([]) } == .artifact)
    }

    /// What would take a backtracking matcher for ever is a matter of few steps.
    @Test func globsOfManyStarsEnd() throws {
        let stars = try Glob(String(repeating: "a*", count: 100) + "b")
        #expect(try !stars.matches(String(repeating: "a", count: 4000)))
        let folders = try Glob(String(repeating: "**/a/", count: 50) + "b")
        #expect(try !folders.matches(Array(repeating: "a", count: 4000).joined(separator: "/")))
    }

    @Test func comparingEndsHoweverManyNamesThereAre() throws {
        let glob = try Glob("*" + String(repeating: "a", count: 200) + "b")
        let names = Array(repeating: String(repeating: "a", count: 4000), count: 1000)
        #expect(failureKind { _ = try [glob].select(names) } == .resourceLimit)
    }

    /// Against the system's own matcher, for what both have.
    @Test func globsAgreeWithTheSystem() throws {
        var random = SeededGenerator(state: 4)
        let letters = ["a", "b", "-", "*", "?", "[ab]", "[!a]", "[a-b]", "/", "/"]
        var compared = 0
        while compared < 20_000 {
            let text = (0..<Int.random(in: 1...8, using: &random)).compactMap { _ in
                letters.randomElement(using: &random)
            }
            .joined()
            let name = (0..<Int.random(in: 1...8, using: &random)).compactMap { _ in
                ["a", "b", "-", "/"].randomElement(using: &random)
            }.joined()
            guard !text.contains("**"), let glob = try? Glob(text), !name.hasPrefix("/"), !name.contains("//") else {
                continue
            }
            compared += 1
            let fits = fnmatch(text, name, FNM_PATHNAME | FNM_NOESCAPE) == 0
            // The system lets a star stand for nothing before a slash at the end; no artifact has such a name.
            guard !name.hasSuffix("/") else { continue }
            #expect(try glob.matches(name) == fits, "\(text) \(name)")
        }
    }
}

/// SplitMix64: the same numbers in each run.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
