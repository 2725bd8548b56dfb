// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Foundation
import Testing
import Verification

/// What the documentation shows is what is read.
@Suite struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The YAML blocks of docs/policy.md.
    private static func examples() throws -> [String] {
        try text("docs/policy.md").split(separator: "```yaml\n").dropFirst().compactMap { block in
            block.firstRange(of: "```").map { String(block[..<$0.lowerBound]) }
        }
    }

    @Test func theWholePolicyIsRead() throws {
        let file = try PolicyFile(parsing: Array(try #require(Self.examples().first).utf8))
        #expect(file.references == ["images.signed.json", "release.pub.pem", "tpm-ca.pem"])
    }

    @Test func theListOfImagesIsRead() throws {
        let list = try MeasurementList(
            text: Array(try #require(Self.examples().last).utf8), issued: "2026-01-01T00:00:00Z")
        #expect(list.images.map(\.name) == ["cupel-guest"])
    }

    @Test func everyKeyIsExplained() throws {
        let page = try Self.text("docs/policy.md")
        for key in PolicyFile.documentedKeys { #expect(page.contains(key), "\(key)") }
    }

    /// The codes that stand in this module's files, and the table.
    @Test func everyFindingIsListed() throws {
        let page = try Self.text("docs/findings.md")
        let folder = Self.root.appending(path: "Sources/Verification")
        let names = try #require(FileManager.default.enumerator(atPath: folder.path())?.allObjects as? [String])
        var codes: Set<String> = []
        for name in names where name.hasSuffix(".swift") {
            let source = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            for line in source.split(separator: "\n") where line.contains("= Self(rawValue: \"") {
                codes.insert(String(line.split(separator: "\"")[1]))
            }
        }
        #expect(codes.count >= 30)
        for code in codes { #expect(page.contains("| `\(code)` |"), "\(code)") }
    }

    @Test func signedListsAreOfTheTypeThatIsDocumented() throws {
        #expect(try Self.text("docs/policy.md").contains(MeasurementList.payloadType))
    }
}
