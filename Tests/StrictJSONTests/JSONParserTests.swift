// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import StrictJSON
import Testing

@Suite struct JSONParserTests {
    @Test(
        arguments: [
            ("null", JSONValue.null),
            (" true\n", true),
            ("-12.5e-1", .number(-1.25)),
            (#""\ud83d\ude00\u00e9\/""#, "😀é/"),
            (#"{"a":[1,{"b":null}]}"#, ["a": [1, ["b": .null]]]),
            ("\t[\r\n1 , 2 ]", [1, 2]),
        ] as [(String, JSONValue)])
    func wellFormedTextsAreRead(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "truee", "True", "01", "-", "-01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1e999", "-1e999",
        "NaN", "Infinity", "[", "[1", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "\"", "\"a", "\"\\\"",
        "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"\\ud800x\"", "\"\\udc00\\ud800\"", "\"a\nb\"", "\"\t\"", "1 2", "{}{}", "\u{FEFF}{}", "//1\n1", "[1]\u{0}",
        "\u{A0}1", "\u{0C}1",
    ])
    func everythingElseIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
            [0xE2, 0x82], [0xFF],
        ] as [[UInt8]])
    func stringsThatAreNotUTF8AreRefused(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: [quote] + bytes + [quote]) }
    }

    @Test func keysThatOnlyUnicodeEquivalenceMakesEqualAreRefused() {
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: Array(#"{"\u00e9":1,"e\u0301":2}"#.utf8)) }
    }

    /// Swift would put them in order whenever it hashes or compares, in a time that is the square of their number.
    @Test(arguments: ["\u{301}", "\\u0301", "\u{316}\\u0301"])
    func endlessCombiningCharactersAreRefused(mark: String) throws {
        func text(_ marks: Int) -> [UInt8] { Array("{\"e\(String(repeating: mark, count: marks))\":0}".utf8) }
        #expect(try JSONValue(parsing: text(15)).objectValue?.count == 1)
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: text(31)) }
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: text(200_000)) }
    }

    @Test func errorsNameThePlace() {
        let error = #expect(throws: MalformedBytes.self) { try JSONValue(parsing: Array(#"{"a":1,"a":2}"#.utf8)) }
        #expect(error?.offset == 7)
        #expect(error?.description == "JSON at byte 7: the key 'a' stands twice in one object")
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func nestingHasALimit(opening: String, closing: String) throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSONValue(parsing: nested(JSONValue.maximumDepth)) }
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: nested(JSONValue.maximumDepth + 1)) }
        #expect(throws: MalformedBytes.self) { try JSONValue(parsing: Array(repeating: 0x5B, count: 1_000_000)) }
    }

    private static let sample = Array(#"{"a":[1.5e3,-0,true,null,"\u00e9\ud83d\ude00é"],"b":{"":false}}"#.utf8)

    @Test func noPrefixIsAText() {
        for length in Self.sample.indices {
            #expect(throws: MalformedBytes.self) { try JSONValue(parsing: Array(Self.sample.prefix(length))) }
        }
    }

    /// What a changed byte leaves readable has canonical bytes of its own that read back as the same value.
    @Test func noChangedByteTraps() throws {
        for index in Self.sample.indices {
            for value in UInt8.min...UInt8.max {
                var changed = Self.sample
                changed[index] = value
                guard let json = try? JSONValue(parsing: changed) else { continue }
                #expect(try JSONValue(parsing: json.canonicalBytes) == json)
            }
        }
    }

    @Test func wholeNumbersAreExactUpTo2To53() {
        #expect(JSONValue.number(9_007_199_254_740_992).integerValue == 9_007_199_254_740_992)
        #expect(JSONValue.number(9_007_199_254_740_994).integerValue == nil)
        #expect(JSONValue.number(1.5).integerValue == nil)
        #expect(JSONValue.string("1").integerValue == nil)
    }

    @Test func accessorsGiveOnlyTheirOwnKind() {
        let values: [JSONValue] = [.null, true, 1, "a", [1], ["a": 1]]
        #expect(values.map { $0.boolValue != nil } == [false, true, false, false, false, false])
        #expect(values.map { $0.numberValue != nil } == [false, false, true, false, false, false])
        #expect(values.map { $0.stringValue != nil } == [false, false, false, true, false, false])
        #expect(values.map { $0.arrayValue != nil } == [false, false, false, false, true, false])
        #expect(values.map { $0["a"] != nil } == [false, false, false, false, false, true])
    }
}
