// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import StrictJSON
import TestVectors
import Testing

@Suite struct CanonicalJSONTests {
    @Test(arguments: [
        ("{}", "{}"),
        (" [ ] ", "[]"),
        (#"{"b":1,"a":2}"#, #"{"a":2,"b":1}"#),
        // UTF-16 order: U+1F600 (D83D DE00) stands before U+FB33.
        (
            #"{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"\r":4,"1":5,"\u0080":6,"\u00f6":7}"#,
            "{\"\\r\":4,\"1\":5,\"\u{80}\":6,\"\u{F6}\":7,\"\u{20AC}\":3,\"\u{1F600}\":2,\"\u{FB33}\":1}"
        ),
        (#""\u0000\u001f\u007f\u2028\"\\\/\b\f\n\r\t""#, #""\u0000\u001f\#u{7F}\#u{2028}\"\\/\b\f\n\r\t""#),
        (
            "[-0,0.0,1e0,100,1e21,1e-7,123456789012345680000,0.000001]",
            "[0,0,1,100,1e+21,1e-7,123456789012345680000,0.000001]"
        ),
        ("[true,false,null]", "[true,false,null]"),
    ])
    func textsAreWrittenAsRFC8785Says(text: String, canonical: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(String(decoding: value.canonicalBytes, as: UTF8.self) == canonical)
        #expect(try JSONValue(parsing: value.canonicalBytes) == value)
    }

    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
    func publishedPairsAgree() throws {
        let index = try JSONValue(parsing: SharedVectors.bytes("jcs/INDEX.json"))
        let vectors = try #require(index["vectors"]?.arrayValue)
        #expect(vectors.count == 17)
        for vector in vectors where vector["check"] == "jcs" {
            let id = vector["id"]?.stringValue ?? ""
            let input = try SharedVectors.bytes("jcs/" + #require(vector["files"]?["input"]?.stringValue))
            if vector["expect"] == "invalid" {
                #expect(throws: MalformedBytes.self, "\(id)") { try JSONValue(parsing: input) }
                continue
            }
            let output = try SharedVectors.bytes("jcs/" + #require(vector["files"]?["output"]?.stringValue))
            #expect(try JSONValue(parsing: input).canonicalBytes == output, "\(id)")
        }
    }

    @Test(
        .enabled(if: SharedVectors.arePresent, "the shared vectors are not there"),
        arguments: [("numbers-rfc8785.json", 26), ("numbers-random.json", 250)])
    func publishedNumbersAgree(file: String, count: Int) throws {
        let cases = try #require(JSONValue(parsing: SharedVectors.bytes("jcs/" + file)).arrayValue)
        #expect(cases.count == count)
        for row in cases {
            let bits = try Hex.decode(#require(row["ieee"]?.stringValue)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let number = Double(bitPattern: bits)
            guard number.isFinite else {
                #expect(row["expected"]?.stringValue == nil)
                continue
            }
            let bytes = JSONValue.number(number).canonicalBytes
            #expect(String(decoding: bytes, as: UTF8.self) == row["expected"]?.stringValue)
        }
    }

    @Test func literalsAreQuotedAndEscaped() {
        #expect(String(decoding: JSONValue.literal("a\"\u{1}é"), as: UTF8.self) == "\"a\\\"\\u0001é\"")
    }
}
