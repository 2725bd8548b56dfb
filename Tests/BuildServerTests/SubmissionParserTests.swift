// SPDX-License-Identifier: Apache-2.0
import BuildServer
import ByteCoding
import Testing

/// Everything that a parser made of a body.
private struct Parsed: Equatable {
    var fields: [String: String] = [:]
    var archiveName: String?
    var archive: [UInt8]?

    /// Parses `body` in pieces of `size` bytes.
    init(_ body: [UInt8], with parser: some SubmissionParser, pieces size: Int) throws {
        var parser = parser
        for start in stride(from: 0, to: body.count, by: size) {
            let piece = Array(body[start..<min(start + size, body.count)])
            try piece.withUnsafeBytes { bytes in try parser.parse(bytes) { self.take($0) } }
        }
        try parser.finish { self.take($0) }
    }

    private mutating func take(_ part: SubmissionPart) {
        switch part {
        case .field(let name, let text): fields[name] = text
        case .archiveBegins(let name): (archiveName, archive) = (name, [])
        case .archive(let bytes): archive?.append(contentsOf: bytes)
        }
    }
}

@Suite struct JSONSubmissionTests {
    private func parse(_ body: String, pieces: Int = 7) throws -> Parsed {
        try Parsed(Array(body.utf8), with: JSONSubmission(), pieces: pieces)
    }

    @Test(arguments: [1, 2, 3, 5, 64, 100_000]) func theArchiveIsTheSameHoweverTheBodyArrives(pieces: Int) throws {
        let archive = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let body = "{\"nonce\":\"ab\", \"source_data\" : \"\(Base64.encode(archive))\",\n \"source_name\":\"x.zip\"}"
        let parsed = try parse(body, pieces: pieces)
        #expect(parsed.archive == archive)
        #expect(parsed.fields == ["nonce": "ab", "source_name": "x.zip"])
    }

    @Test func escapesThatEncodersWriteAreUnderstood() throws {
        let parsed = try parse(#"{"source\u005fdata":"\/\/\u002b\u002B\nAAAA\r\n"}"#)
        #expect(parsed.archive == (try Base64.decode("//++AAAA")))
    }

    @Test func fieldsThatNobodyKnowsAreIgnoredAndNullIsNothing() throws {
        let parsed = try parse(
            #"{"nonce":"ab","x":{"source_data":["AAAA",{"nonce":1}]},"repo_url":null,"source_data":null}"#)
        #expect(parsed.fields == ["nonce": "ab"] && parsed.archive == nil)
    }

    @Test(arguments: [
        "", " ", "{", "[]", "\"x\"", "5", "{\"nonce\":1}", "{\"nonce\":\"a\",\"nonce\":\"b\"}", "{\"nonce\":\"a\"} x",
        #"{"source_data":5}"#, #"{"source_data":["AAAA"]}"#, #"{"source_data":"***"}"#, #"{"source_data":"AAA"}"#,
        #"{"source_data":"AA="}"#, #"{"source_data":"AB=="}"#, #"{"source_data":"AAAA"#, #"{"source_data":"AAAA""#,
        #"{"source_data":"AAAA","source_data":"AAAA"}"#, #"{"source_data":"AA==AAAA"}"#, #"{"source_data":"\u00"}"#,
        #"{"source_data":"\t"}"#, #"{"source_data" "AAAA"}"#, #"{"source_data":"AAAA" "AAAA"}"#,
        #"{"source_data":"AA\u0041"x}"#, #"{"source_data":"A A A A"}"#, #"["source_data":"AAAA"]"#,
    ]) func aBodyThatIsNoSubmissionIsRefused(body: String) {
        for pieces in [1, 1000] {
            #expect(throws: Refusal.self, "\(body)") { try parse(body, pieces: pieces) }
        }
    }

    @Test func invalidUnicodeIsRefused() {
        #expect(throws: Refusal.self) { try Parsed([0xFF, 0xFE], with: JSONSubmission(), pieces: 1) }
    }

    @Test func endlessFieldsAreRefusedBeforeTheyEnd() {
        var parser = JSONSubmission()
        let junk = [UInt8](repeating: UInt8(ascii: " "), count: JSONSubmission.maximumRest + 1)
        #expect(throws: Refusal.self) { try junk.withUnsafeBytes { try parser.parse($0) { _ in } } }
    }

    @Test func deepNestingIsRefusedNotFollowed() {
        let deep = "{\"x\":" + String(repeating: "[", count: 50_000) + "}"
        #expect(throws: Refusal.self) { try parse(deep, pieces: 1000) }
    }
}

@Suite struct MultipartSubmissionTests {
    private static let mark = "----x7"

    private func parse(_ body: String, pieces: Int) throws -> Parsed {
        let parser = try #require(MultipartSubmission(boundary: Self.mark))
        return try Parsed(Array(body.utf8), with: parser, pieces: pieces)
    }

    private func part(_ name: String, _ value: String) -> String {
        "--\(Self.mark)\r\nContent-Disposition: form-data; name=\(name)\r\n\r\n\(value)\r\n"
    }

    private var end: String { "--\(Self.mark)--\r\n" }

    @Test(arguments: [1, 2, 3, 11, 4096]) func fieldsAndFileArriveWholeHoweverTheyArrive(pieces: Int) throws {
        let content = "PK\r\n--\(Self.mark.dropLast())\r\n\r\n--" + String(repeating: "\r\n-", count: 50)
        let body =
            "preamble\r\n" + part("\"nonce\"", "00ff") + part("\"other\"", "x")
            + part("\"source\"; filename=\"a \\\"b%22.zip\"\r\nContent-Type: application/zip", content)
            + part("ref", "main") + end + "epilogue"
        let parsed = try parse(body, pieces: pieces)
        #expect(parsed.fields == ["nonce": "00ff", "repo_ref": "main"])
        #expect(parsed.archiveName == "a \"b\".zip")
        #expect(parsed.archive == Array(content.utf8))
    }

    @Test(arguments: [1, 4096]) func anEmptyFieldAndAnEmptyFileAreEmpty(pieces: Int) throws {
        let parsed = try parse(part("\"nonce\"", "") + part("\"source\"", "") + end, pieces: pieces)
        #expect(parsed.fields == ["nonce": ""] && parsed.archive == [])
    }

    @Test func aFormThatIsNotOneIsRefused() {
        let bodies = [
            "", "nonsense", part("\"nonce\"", "ab"), part("\"nonce\"", "ab") + "--\(Self.mark)x",
            part("\"nonce\"", "a") + part("\"nonce\"", "b") + end,
            part("\"source\"", "a") + part("\"source\"", "b") + end,
            "--\(Self.mark)\r\n\r\nvalue\r\n" + end, part("\"nonce\"", String(repeating: "a", count: 9000)) + end,
            part("\"ref\"", "a") + part("\"repo_ref\"", "a") + end,
            part("\"nonce\r\nX: " + String(repeating: "y", count: 9000), "") + end,
            (0..<40).map { part("\"x\($0)\"", "") }.joined() + end,
        ]
        for body in bodies {
            for pieces in [1, 100_000] {
                #expect(throws: Refusal.self, "\(body.prefix(80))") { try parse(body, pieces: pieces) }
            }
        }
    }

    @Test(arguments: ["", "x\r\n", String(repeating: "x", count: 71), "x ", "ü"]) func aBoundaryByNoRuleIsNone(
        mark: String
    ) {
        #expect(MultipartSubmission(boundary: mark) == nil)
    }

    @Test func parametersOfHeadersAreReadAsTheyAreWritten() {
        #expect(HeaderValue("Multipart/Form-Data; Boundary=\"a;b\"; x=y")?.parameters == ["boundary": "a;b", "x": "y"])
        #expect(HeaderValue("text/plain;")?.main == "text/plain")
        #expect(HeaderValue("a; b=\"c") == nil)
        #expect(HeaderValue("a; b") == nil)
        #expect(HeaderValue("a; b=1; b=2") == nil)
    }
}

@Suite struct Base64StreamTests {
    @Test func everyLengthAndSplitGivesTheBytesBack() throws {
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8($0 * 13) }
            let text = Array(Base64.encode(bytes).utf8)
            for split in 0...text.count {
                var stream = Base64Stream()
                var decoded: [UInt8] = []
                try Array(text[..<split]).withUnsafeBytes { try stream.decode($0, into: &decoded) }
                try Array(text[split...]).withUnsafeBytes { try stream.decode($0, into: &decoded) }
                try stream.finish()
                #expect(decoded == bytes)
            }
        }
    }
}
