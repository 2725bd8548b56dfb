// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Testing
import Toolchains

@Suite struct KnownFileDigestsTests {
    /// Of no file here: where it is the answer, the file was not read.
    private static let listed = Digest256(of: Array("what the list says".utf8))

    private func cache(_ project: TestProject, _ paths: [String]) throws -> ToolDigestCache {
        let lines = paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { "\(Self.listed.hex)  \($0)\n" }
        try project.write("sha256sums", lines.joined())
        return ToolDigestCache(known: try KnownFileDigests(listAt: project.root + "/sha256sums"))
    }

    @Test func aListedFileIsNotRead() throws {
        let project = try TestProject(["tool": "x", "other": "y"])
        let cache = try cache(project, [project.root + "/tool"])
        #expect(try cache.digest(of: project.root + "/tool") == Self.listed)
        #expect(try cache.digest(of: project.root + "/other").hex == project.digest("other"))
    }

    @Test func aLinkIsWhatItLeadsTo() throws {
        let project = try TestProject(["tool": "x", "other": "y"])
        try project.link("listed", to: "tool")
        try project.link("unlisted", to: "other")
        let cache = try cache(project, [project.root + "/tool", project.root + "/unlisted"])
        #expect(try cache.digest(of: project.root + "/listed") == Self.listed)
        #expect(try cache.digest(of: project.root + "/unlisted").hex == project.digest("other"))
    }

    @Test func aListedFileMustBeThere() throws {
        let project = try TestProject()
        let cache = try cache(project, [project.root + "/gone"])
        #expect(failureKind { _ = try cache.digest(of: project.root + "/gone") } == .unsupportedToolchain)
    }

    /// Letters that are composed in other ways are other names to a file system.
    @Test func namesAreBytes() throws {
        let project = try TestProject(["\u{E9}": "x"])
        let cache = try cache(project, [project.root + "/\u{E9}"])
        #expect(try cache.digest(of: project.root + "/\u{E9}") == Self.listed)
        #if os(Linux)
            try project.write("e\u{301}", "y")
            #expect(try cache.digest(of: project.root + "/e\u{301}").hex == project.digest("e\u{301}"))
        #endif
    }

    #if os(Linux)
        @Test func aFileOfAnotherFileSystemIsRead() throws {
            let cache = try cache(TestProject(), ["/proc/version"])
            #expect(try cache.digest(of: "/proc/version") == ToolDigestCache().digest(of: "/proc/version"))
        }
    #endif

    static let refused: [(String, String)] = [
        ("nothing", ""), ("an empty line", "\n"), ("no end", "\(listed.hex)  /a"),
        ("one space", "\(listed.hex) /a\n"), ("read as a program's input", "\(listed.hex) */a\n"),
        ("no whole path", "\(listed.hex)  a\n"), ("an escaped name", "\\\(listed.hex)  /a\n"),
        ("a digit too few", "\(listed.hex.dropLast())  /a\n"), ("a digit too many", "\(listed.hex)0  /a\n"),
        ("capitals", "\(listed.hex.uppercased())  /a\n"), ("an empty line in it", "\(listed.hex)  /a\n\n"),
        ("one twice", "\(listed.hex)  /a\n\(listed.hex)  /a\n"),
        ("out of order", "\(listed.hex)  /b\n\(listed.hex)  /a\n"),
    ]

    @Test(arguments: refused)
    func aListThatIsNotInItsFormIsRefused(_ name: String, _ text: String) throws {
        let project = try TestProject(["list": text])
        let error = failure { _ = try KnownFileDigests(listAt: project.root + "/list") }
        #expect(error?.kind == .internal && error?.message.contains("\(project.root)/list") == true, "\(name)")
    }

    @Test func aListThatIsNotThereIsRefused() throws {
        let project = try TestProject()
        #expect(failure { _ = try KnownFileDigests(listAt: project.root + "/list") } != nil)
    }
}
