// SPDX-License-Identifier: Apache-2.0
import Evidence
import Inspection
import StrictJSON
import Testing

@Suite struct InspectedFieldTests {
    /// TPMS_ATTEST with this clock and extraData.
    static func quote(clock: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 7], extraData: [UInt8] = []) -> [UInt8] {
        let size: [UInt8] = [0, UInt8(extraData.count)]
        let head: [UInt8] = [0xFF, 0x54, 0x43, 0x47, 0x80, 0x18, 0, 2, 0xAB, 0xCD]
        let counts: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2, 1]
        let firmware: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 9]
        let selection: [UInt8] = [0, 0, 0, 1, 0, 0x0B, 3, 0x81, 0, 0x80]
        return head + size + extraData + clock + counts + firmware + selection + [0, 2, 0xEE, 0xFF]
    }

    static func fields(_ bytes: [UInt8]) throws -> JSONValue {
        try #require(try InspectedFile(recognising: bytes)?.json["fields"])
    }

    @Test("names are the manual's, values have one type each")
    func names() throws {
        let json = try Self.fields(Self.quote())
        #expect(json["magic"] == "0xff544347")
        #expect(json["type"] == "0x8018")
        #expect(json["qualifiedSigner"] == "abcd")
        #expect(json["clockInfo"] == ["clock": 7, "resetCount": 1, "restartCount": 2, "safe": true])
        #expect(json["attested"]?["pcrSelect"] == [["hash": "SHA256", "pcrSelect": [0, 7, 23]]])
        #expect(json["attested"]?["pcrDigest"] == "eeff")
    }

    static let chosenBytes: [(bytes: [UInt8], text: JSONValue)] = [
        ([], .null), (Array("challenge".utf8), "challenge"), (Array("a\0\0".utf8), "a"), ([0x41, 0x1B], .null),
        ([0, 0], .null), ([0xC3, 0xA9], .null), ([0x7F], .null),
    ]

    @Test("a caller's bytes are text only where all of them are printable", arguments: chosenBytes.indices)
    func text(row: Int) throws {
        let (bytes, text) = Self.chosenBytes[row]
        #expect(try Self.fields(Self.quote(extraData: bytes))["extraData"]?["text"] == text)
    }

    @Test("numbers beyond 2^53 are texts")
    func largeNumbers() throws {
        let largest = try Self.fields(Self.quote(clock: [0, 0x20, 0, 0, 0, 0, 0, 0]))
        #expect(largest["clockInfo"]?["clock"] == .number(9_007_199_254_740_992))
        let larger = try Self.fields(Self.quote(clock: [0, 0x20, 0, 0, 0, 0, 0, 1]))
        #expect(larger["clockInfo"]?["clock"] == "9007199254740993")
    }

    @Test("a malformed part hides no other, and is found")
    func malformedPart() throws {
        let bytes = Array(#"{"platform":"tdx","evidence":{"quote":"AAAA","cc_eventlog":"!","more":[1]}}"#.utf8)
        let file = try #require(try InspectedFile(recognising: bytes))
        #expect(file.isMalformed)
        let evidence = file.json["fields"]?["evidence"]
        #expect(evidence?["quote"]?["malformed"] != nil)
        #expect(evidence?["cc_eventlog"]?["malformed"] != nil)
        #expect(evidence?["more"] == [1])
        #expect(try InspectedFile(recognising: Self.quote())?.isMalformed == false)
    }

    @Test("evidence of a platform that is not known is shown as it came")
    func unknownPlatform() throws {
        let bytes = Array(#"{"platform":"cca","evidence":{"token":"x"}}"#.utf8)
        let json = try Self.fields(bytes)
        #expect(json == ["platform": "cca", "evidence": ["token": "x"]])
    }

    static let unknownFiles: [[UInt8]] = [
        [], Array("hello".utf8), Array("{}".utf8), Array(repeating: 0xAA, count: 256),
    ]

    @Test("unknown files are nothing, and what was tried is said", arguments: unknownFiles)
    func unknown(bytes: [UInt8]) throws {
        #expect(try InspectedFile(recognising: bytes) == nil)
        #expect(InspectedFile.tried.contains("SNP report") && InspectedFile.tried.contains("X.509 CRL"))
    }
}
