// SPDX-License-Identifier: Apache-2.0
import Builds
import StrictJSON
import Testing
import Toolchains

@Suite struct CargoMessagesTests {
    struct Report {
        var package = "path+file:///build/source#app@0.1.0"
        var kinds = ["bin"]
        var files = ["/build/output/release/app"]
        var test = false
        var reason = "compiler-artifact"

        var line: String {
            let message: JSONValue = [
                "reason": .string(reason), "package_id": .string(package),
                "target": [
                    "kind": .array(kinds.map(JSONValue.string)), "name": "app", "src_path": "/build/source/src/main.rs",
                ],
                "profile": ["test": .bool(test)],
                "filenames": .array(files.map(JSONValue.string)),
                "executable": kinds == ["bin"] || kinds == ["example"] ? .string(files[0]) : .null,
            ]
            // Cargo writes the reason first.
            let rest = String(decoding: message.canonicalBytes, as: UTF8.self).dropFirst()
            return "{\"reason\":\"\(reason)\",\(rest)".replacing(",\"reason\":\"\(reason)\"", with: "")
        }
    }

    private func artifacts(_ lines: [String], chunk: Int = 7) throws -> [BuiltArtifact] {
        var messages = CargoMessages()
        _ = try feed(lines.joined(separator: "\n"), to: &messages, chunk: chunk)
        return try messages.artifacts(output: "/build/output")
    }

    private func feed(_ text: String, to messages: inout CargoMessages, chunk: Int) throws -> [UInt8] {
        let bytes = Array(text.utf8)
        var other: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            other += try Array(bytes[start..<min(start + chunk, bytes.count)]).withUnsafeBytes {
                try messages.append($0)
            }
        }
        return other
    }

    @Test(arguments: [
        ("path+file:///build/source#app@0.1.0", true), ("path+file:///build/app#0.1.0", true),
        ("app 0.1.0 (path+file:///build/source)", true),
        ("registry+https://github.com/rust-lang/crates.io-index#app@0.1.0", false),
        ("app 0.1.0 (registry+https://github.com/rust-lang/crates.io-index)", false),
        ("app 0.1.0 (git+https://example.com/path+file://#0123456)", false),
    ])
    func onlyPackagesOfTheSourceTreeMakeArtifacts(package: String, isLocal: Bool) throws {
        let report = Report(package: package).line
        guard isLocal else {
            #expect(throws: BuildFailure.self) { try artifacts([report]) }
            return
        }
        #expect(try artifacts([report]).map(\.name) == ["app"])
    }

    @Test(arguments: [1, 7, 100_000])
    func programsAndLibrariesAreFoundInWhateverPieces(chunk: Int) throws {
        let library = Report(
            kinds: ["cdylib", "staticlib", "rlib"],
            files: ["so", "a", "rlib", "d"].map { "/build/output/release/libapp.\($0)" })
        let found = try artifacts([Report().line, library.line, "{\"reason\":\"build-finished\"}"], chunk: chunk)
        #expect(
            found == [
                BuiltArtifact(name: "app", relativePath: "release/app", executable: true),
                BuiltArtifact(name: "libapp.a", relativePath: "release/libapp.a", executable: false),
                BuiltArtifact(name: "libapp.so", relativePath: "release/libapp.so", executable: false),
            ])
    }

    @Test(arguments: [
        Report(package: "registry+https://github.com/rust-lang/crates.io-index#dep@1.0.0").line,
        Report(package: "git+https://git.example/r#dep@1.0.0").line,
        Report(kinds: ["example"]).line,
        Report(kinds: ["test"]).line,
        Report(kinds: ["custom-build"]).line,
        Report(kinds: ["proc-macro"], files: ["/build/output/release/libm.so"]).line,
        Report(kinds: ["lib"], files: ["/build/output/release/libm.rlib"]).line,
        Report(test: true).line,
        Report(reason: "compiler-message").line,
        "{\"reason\":\"compiler-artifact\"}",
        "{\"reason\":",
        "no message",
        "",
    ])
    func nothingElseIsAnArtifact(_ line: String) {
        let failure = failure { _ = try artifacts([line]) }
        #expect(failure?.kind == .artifact)
    }

    @Test(arguments: [
        "/build/source/app", "/build/output", "/build/output/", "/build/output/../source/x", "/build/outputx/app",
        "release/app", "/build/output/release//app", "/build/output/./app", "/build/output/a\u{7}b",
        "/build/output/a\u{600}/../b", "/build/output/a/\u{301}/../b", "/build/output/a\u{600}//b",
        "/build/output\u{301}/b",
    ])
    func artifactsOutsideTheOutputAreRefused(_ path: String) {
        #expect(failureKind { _ = try artifacts([Report(files: [path]).line]) } == .artifact)
    }

    @Test func aNameHoldsNoSlashThatIsPartOfALargerCharacter() throws {
        let path = "/build/output/l\u{600}/root/\u{301}secret"
        let found = try artifacts([Report(files: [path]).line])
        #expect(found.map(\.name) == ["\u{301}secret"])
        #expect(found.map(\.relativePath) == ["l\u{600}/root/\u{301}secret"])
        let first = Report(package: "path+file:///build/source/x#\u{D4E}/e@1.0.0")
        let second = Report(package: first.package, files: ["/build/output/x/app"])
        #expect(try artifacts([first.line, second.line]).allSatisfy { $0.name.utf8.starts(with: "\u{D4E}e/".utf8) })
    }

    @Test func twoWithOneNameAreBothKept() throws {
        let first = Report(
            package: "path+file:///build/source/a#0.1.0", files: ["/build/output/x/release/app"])
        let second = Report(
            package: "path+file:///build/source/b#other@0.1.0", files: ["/build/output/y/release/app"])
        #expect(try artifacts([first.line, second.line]).map(\.name) == ["a/app", "other/app"])
        let third = Report(package: first.package, files: ["/build/output/y/release/app"])
        #expect(
            try artifacts([first.line, third.line]).map(\.name) == ["a/x/release/app", "a/y/release/app"])
    }

    @Test func oneReportedTwiceIsOne() throws {
        #expect(try artifacts([Report().line, Report().line]).count == 1)
    }

    @Test func twoInOneFileAreRefusedWhereTheyCannotBeToldApart() {
        let other = Report(package: "path+file:///build/source/b#b@0.1.0")
        #expect(failureKind { _ = try artifacts([Report().line, other.line]) } == .artifact)
    }

    @Test func otherLinesAreReturnedForTheLog() throws {
        var messages = CargoMessages()
        let text = "hello\n\(Report().line)\n{ \"reason\": 1 }\nrest"
        #expect(
            String(decoding: try feed(text, to: &messages, chunk: 5), as: UTF8.self) == "hello\n{ \"reason\": 1 }\n")
    }

    @Test func anEndlessLineIsPassedOnWithoutBeingKept() throws {
        var messages = CargoMessages()
        let long = String(repeating: "x", count: 3 * CargoMessages.maximumLineLength)
        let other = try feed(long + "\n" + Report().line + "\n", to: &messages, chunk: 65_536)
        #expect(other.count == long.utf8.count + 1)
        #expect(try messages.artifacts(output: "/build/output").count == 1)
    }

    @Test func tooManyArtifactsAreRefused() {
        let files = (0..<10_001).map { "/build/output/release/lib\($0).so" }
        let report = Report(kinds: ["cdylib"], files: files)
        #expect(failureKind { _ = try artifacts([report.line], chunk: 1 << 20) } == .resourceLimit)
    }
}
