// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

/// Slashes that are part of a larger character to Swift.
@Suite struct PathPartsTests {
    @Test(arguments: [
        ("a/b", ["a", "b"]), ("a\u{600}/b", ["a\u{600}", "b"]), ("a/\u{301}b", ["a", "\u{301}b"]),
        ("a\u{600}/\u{301}/b", ["a\u{600}", "\u{301}", "b"]), ("/a", ["", "a"]), ("a//b/", ["a", "", "b", ""]),
        ("\u{D4E}/..\u{D4E}/", ["\u{D4E}", "..\u{D4E}", ""]), ("", [""]),
    ]) func pathsAreSplitAtEachSlash(_ path: String, _ parts: [String]) {
        #expect(PathParts.all(path).map { Array($0.utf8) } == parts.map { Array($0.utf8) })
        #expect(PathParts.names(path) == parts.filter { !$0.isEmpty })
        #expect(PathParts.last(path) == parts.last { !$0.isEmpty })
    }

    @Test(arguments: ["/a", "/", "/\u{301}a"]) func aSlashAtTheStartMakesAPathAbsolute(_ path: String) {
        #expect(PathParts.isAbsolute(path))
        #expect(!PathParts.isPlain(path))
    }

    @Test(arguments: [
        "", "a\u{600}/..", "b\u{600}/../a", "a\u{600}//b", "a/./\u{301}", "a/\u{301}/", "a\0b", "..",
    ]) func pathsThatMoveAreNotPlain(_ path: String) {
        #expect(!PathParts.isPlain(path))
    }

    @Test(arguments: ["a", "a\u{600}/b", "a/\u{301}b", "...", "a/..b"]) func otherPathsArePlain(_ path: String) {
        #expect(PathParts.isPlain(path) && !PathParts.isAbsolute(path))
    }

    @Test func whatIsBelowAFolderIsFoundByBytes() {
        #expect(PathParts.below("/a", "/a/\u{301}b").map { Array($0.utf8) } == Array("\u{301}b".utf8))
        #expect(PathParts.below("/a\u{600}", "/a\u{600}/b") == "b")
        #expect(PathParts.below("/\u{E9}", "/e\u{301}/b") == nil)
        #expect(PathParts.below("/a", "/ab/c") == nil)
        #expect(PathParts.below("/a", "/a") == nil)
    }

    @Test func stepsUpwardAreCountedByBytes() {
        #expect(PathParts.lexical("a\u{600}/../a\u{600}/../../b", from: []) == nil)
        #expect(PathParts.lexical("../b/./c", from: ["x", "y"]) == ["x", "b", "c"])
        #expect(PathParts.lexical("x\u{600}/../b", from: ["a"]) == ["a", "b"])
        #expect(PathParts.lexical("../../b", from: ["a"]) == nil)
    }
}
