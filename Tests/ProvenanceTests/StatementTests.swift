// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import TestVectors
import Testing

@Suite struct StatementTests {
    private static let hex = Samples.digest("x").hex
    private static let subject: JSONValue = ["name": "x", "digest": ["sha256": .string(hex)]]
    private static let good: [String: JSONValue] = [
        "_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": "https://example.com/p",
        "predicate": ["a": 1],
    ]

    @Test func aStatementComesBack() throws {
        let bytes = JSONValue.object(Self.good).canonicalBytes
        let statement = try Statement(parsing: bytes)
        #expect(statement.subjects == [Subject(name: "x", sha256: Samples.digest("x"))])
        #expect(statement.predicateType == "https://example.com/p" && statement.predicate == ["a": 1])
        #expect(statement.canonicalBytes == bytes)
    }

    @Test(
        arguments: [
            ("another type", ["_type": "https://in-toto.io/Statement/v0.1"], "_type"),
            ("a type that is a number", ["_type": 1], "_type"),
            ("an unknown field", ["extra": 1], "extra"),
            ("no subject", ["subject": []], "subject"),
            ("subjects that are no array", ["subject": subject], "subject"),
            ("a subject twice", ["subject": [subject, subject]], "subject"),
            ("a subject without a name", ["subject": [["digest": ["sha256": .string(hex)]]]], "name"),
            ("a subject without a digest", ["subject": [["name": "x"]]], "digest"),
            (
                "a subject with another digest alone", ["subject": [["name": "x", "digest": ["sha512": "00"]]]],
                "sha256"
            ),
            (
                "a subject with two digests",
                ["subject": [["name": "x", "digest": ["sha256": .string(hex), "sha1": "00"]]]], "sha1"
            ),
            (
                "a subject with more fields",
                ["subject": [["name": "x", "digest": ["sha256": .string(hex)], "uri": "u"]]],
                "uri"
            ),
            ("a short digest", ["subject": [["name": "x", "digest": ["sha256": "00"]]]], ""),
            ("a predicate type that is null", ["predicateType": .null], "predicateType"),
        ] as [(String, [String: JSONValue], String)])
    func everythingElseIsRefused(name: String, change: [String: JSONValue], field: String) {
        let json = JSONValue.object(Self.good.merging(change) { $1 })
        let error = #expect(throws: MalformedBytes.self) { try Statement(parsing: json.canonicalBytes) }
        #expect(error?.field == field)
    }

    @Test(arguments: ["_type", "subject", "predicateType", "predicate"])
    func everyFieldIsNeeded(field: String) {
        var json = Self.good
        json[field] = nil
        let error = #expect(throws: MalformedBytes.self) {
            try Statement(parsing: JSONValue.object(json).canonicalBytes)
        }
        #expect(error?.field == field)
    }

    @Test(arguments: [
        ("a", true), ("a/b", true), ("a.b/…/c d", true), ("..a", true), ("", false), ("/a", false), ("a/", false),
        ("a//b", false), (".", false), ("..", false), ("a/../b", false), ("./a", false), ("a\\b", false),
        ("a\u{0}b", false), ("a\nb", false), ("a\u{1B}[1m", false), ("a\u{85}b", false),
    ])
    func onlyPathsThatStayAreFileNames(name: String, isPlain: Bool) {
        #expect(Subject(name: name, sha256: Samples.digest("x")).isPlainPath == isPlain)
    }

    /// Examples of the in-toto specification abbreviate digests; those are refused here, and all the rest are read.
    @Test(
        .enabled(if: SharedVectors.arePresent, "the shared vectors are not there"),
        arguments: [
            ("intoto-reference-1", true), ("intoto-reference-2", true), ("intoto-release-3", false),
            ("intoto-release-4", false), ("intoto-svr-2", false), ("intoto-svr-3", false),
            ("neg-statement-no-subject", false), ("neg-statement-no-digest", false),
        ])
    func publishedStatementsAreReadWhereTheirDigestsAreWhole(name: String, isRead: Bool) throws {
        let bytes = try SharedVectors.bytes("statements/\(name).json")
        #expect(((try? Statement(parsing: bytes)) != nil) == isRead)
    }
}
