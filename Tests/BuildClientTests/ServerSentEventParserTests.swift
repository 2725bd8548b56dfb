// SPDX-License-Identifier: Apache-2.0
import BuildClient
import ByteCoding
import Testing

@Suite struct ServerSentEventParserTests {
    private func events(in pieces: [String]) throws -> [String] {
        var parser = ServerSentEventParser()
        return try pieces.flatMap { piece in
            try Array(piece.utf8).withUnsafeBytes { try parser.events(in: $0) }
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test(arguments: [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        ("data: a\r\rdata: b\r\r", ["a", "b"]),
        ("data:a\n\n", ["a"]),
        ("data:  a\n\n", [" a"]),
        ("data: a\ndata: b\n\n", ["a\nb"]),
        ("data\n\n", [""]),
        (": keep-alive\n\ndata: a\n\n", ["a"]),
        ("id: 7\nevent: x\nretry: 5\ndata: a\n\n", ["a"]),
        ("id: 7\n\ndata: a\n\n", ["a"]),
        ("database: x\n\ndata: a\n\n", ["a"]),
        ("\u{FEFF}data: a\n\n", ["a"]),
        ("\n\n\ndata: a\n\n\n", ["a"]),
        ("data: \u{1F600} é\n\n", ["\u{1F600} é"]),
        ("data: a\n\ndata: cut off", ["a"]),
        ("data: a\n\ndata: no blank line\n", ["a"]),
        ("", []),
    ])
    func theSameEventsComeOutWhereverTheBytesAreCut(stream: String, expected: [String]) throws {
        #expect(try events(in: [stream]) == expected)
        let bytes = Array(stream.utf8)
        for cut in bytes.indices {
            var parser = ServerSentEventParser()
            let parts = [Array(bytes[..<cut]), Array(bytes[cut...])]
            let found = try parts.flatMap { part in try part.withUnsafeBytes { try parser.events(in: $0) } }
            #expect(found.map { String(decoding: $0, as: UTF8.self) } == expected, "cut at \(cut)")
        }
        #expect(try events(in: stream.unicodeScalars.map { String($0) }) == expected)
    }

    @Test func commentsAreASignOfLifeAndHalfALineIsNot() throws {
        var parser = ServerSentEventParser()
        _ = try Array(": keep-al".utf8).withUnsafeBytes { try parser.events(in: $0) }
        #expect(parser.lines == 0)
        _ = try Array("ive\n".utf8).withUnsafeBytes { try parser.events(in: $0) }
        #expect(parser.lines == 1)
    }

    @Test func aLineOfTheLargestLengthIsRead() throws {
        let text = String(repeating: "x", count: ServerSentEventParser.maximumLength - 6)
        #expect(try events(in: ["data: \(text)", "\n\n"]) == [text])
    }

    @Test func aLineWithoutEndIsRefused() throws {
        let piece = String(repeating: "x", count: ServerSentEventParser.maximumLength / 2)
        #expect(throws: MalformedBytes.self) { try events(in: ["data: ", piece, piece, piece]) }
    }

    @Test func anEventWithoutEndIsRefused() throws {
        let line = "data: " + String(repeating: "x", count: ServerSentEventParser.maximumLength / 4) + "\n"
        #expect(throws: MalformedBytes.self) { try events(in: Array(repeating: line, count: 5)) }
    }
}
