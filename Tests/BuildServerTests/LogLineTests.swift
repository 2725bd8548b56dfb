// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Logging
import StrictJSON
import Testing

@Suite struct LogLineTests {
    private static func line(
        _ metadata: Logger.Metadata, message: String = "Build ended", _ format: LogFormat
    ) -> String {
        let line = LogLine(
            time: "2026-11-30T10:00:00.007Z", level: .info, label: "cupel", message: message, metadata: metadata)
        return String(decoding: line.bytes(format), as: UTF8.self)
    }

    private static func json(_ metadata: Logger.Metadata, message: String = "Build ended") throws -> JSONValue {
        try JSONValue(parsing: Array(line(metadata, message: message, .json).utf8))
    }

    @Test func textIsTimeLevelMessageAndFacts() {
        let line = Self.line(["build.id": "ab12", "error": "no space left"], .text)
        #expect(
            line == "2026-11-30T10:00:00.007Z info cupel: Build ended build.id=ab12 error=\"no space left\"\n")
    }

    @Test func jsonIsOneObjectWithTheSame() throws {
        #expect(
            try Self.json(["build.id": "ab12", "http": ["status": .stringConvertible(200)], "list": ["a", "b"]])
                == [
                    "time": "2026-11-30T10:00:00.007Z", "level": "info", "label": "cupel", "message": "Build ended",
                    "build.id": "ab12", "http.status": 200, "list": ["a", "b"],
                ])
    }

    @Test func numbersAndTruthValuesStayWhatTheyAre() throws {
        let line = try Self.json([
            "a": .stringConvertible(7), "b": .stringConvertible(0.5), "c": .stringConvertible(true),
            "d": .stringConvertible(Double.infinity), "e": "7",
        ])
        #expect(line["a"] == 7 && line["b"] == .number(0.5) && line["c"] == true)
        #expect(line["d"] == "inf" && line["e"] == "7")
    }

    @Test func noFactReplacesAPartOfTheLine() throws {
        let line = try Self.json(["level": "critical", "time": "1970", "message": "forged", "label": "x"])
        #expect(line["level"] == "info" && line["message"] == "Build ended" && line["label"] == "cupel")
        #expect(line["metadata.level"] == "critical" && line["metadata.time"] == "1970")
    }

    /// What ends a line, moves the cursor, deletes, colours, or turns the direction of writing.
    static let harmful = [
        "a\nb", "a\r\nb", "a\u{0}b", "\u{1B}[2K\u{1B}[1A", "a\u{7F}b", "a\u{85}b", "a\u{9B}2Kb", "a\u{2028}b",
        "a\u{2029}b", "a\u{202E}b", "a\u{200F}b", "a\u{FEFF}b", "a\u{E0041}b", "a\tb", "a\u{B}b", "a\u{C}b",
    ]

    @Test(arguments: harmful, LogFormat.allCases)
    func nothingEndsALineOrReachesTheTerminal(text: String, format: LogFormat) throws {
        let places: [(Logger.Metadata, String)] = [
            (["key": "\(text)"], "Build ended"), (["\(text)": "value"], "Build ended"), ([:], text),
            (["key": ["\(text)"]], "Build ended"), (["key": ["\(text)": "value"]], "Build ended"),
            (["key": [["\(text)": "\(text)"]]], "Build ended"),
        ]
        for (metadata, message) in places {
            let line = Self.line(metadata, message: message, format)
            #expect(line.hasSuffix("\n"))
            let harmful = line.dropLast().unicodeScalars.filter {
                [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
            }
            #expect(harmful.isEmpty, "\(line.debugDescription)")
        }
        let read = try Self.json(["key": "\(text)", "\(text)": "value"], message: text)
        #expect(read["key"]?.stringValue == text && read[text] == "value" && read["message"]?.stringValue == text)
    }

    @Test(arguments: [
        "x build.outcome=ok", "\" build.outcome=\"ok", "build.outcome=ok", "\\\" build.outcome=ok", "", " ", "a b",
    ])
    func noFactLooksLikeAnother(text: String) {
        for line in [
            Self.line(["error": "\(text)"], .text), Self.line([:], message: text, .text),
            Self.line(["\(text)": "1"], .text),
        ] {
            // Outside of quotes there is no build.outcome.
            var outside = ""
            var isQuoted = false
            var isEscaped = false
            for character in line {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isQuoted.toggle()
                } else if !isQuoted {
                    outside.append(character)
                }
            }
            #expect(!isQuoted && !outside.contains("build.outcome"), "\(line)")
        }
    }

    @Test func aLongTextIsCutAtACharacter() throws {
        let text = String(repeating: "ä", count: 1 << 20)
        let kept = try #require(try Self.json(["error": "\(text)"])["error"]?.stringValue)
        #expect(kept.hasSuffix("ä…") && kept.utf8.count < 9000)
        #expect(Self.line(["error": "\(text)"], .text).utf8.count < 9000)
        #expect(Self.line(["error": "\(String(repeating: "a", count: 1 << 20))"], .text).utf8.count < 9000)
    }
}
