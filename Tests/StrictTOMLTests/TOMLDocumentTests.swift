// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import StrictJSON
import StrictTOML
import Testing

@Suite struct TOMLDocumentTests {
    private func parsed(_ text: String) throws -> JSONValue { try TOMLDocument.parse(Array(text.utf8), name: "test") }

    static let values: [(String, JSONValue)] = [
        ("true", true), ("false", false), ("0", 0), ("-0", 0), ("+7", 7), ("1_000", 1000),
        ("0xDEAD_beef", 3_735_928_559),
        ("0o755", 493), ("0b1_01", 5), ("-9223372036854775808", .number(-0x1p63)), ("1.5", .number(1.5)),
        ("-0.0", .number(-0.0)), ("6.626e-34", .number(6.626e-34)), ("1e06", 1_000_000),
        ("1_0.0_1E+0_1", .number(100.1)),
        ("inf", "inf"), ("-inf", "-inf"), ("+nan", "+nan"), ("1979-05-27", "1979-05-27"), ("07:32:00", "07:32:00"),
        ("07:32", "07:32"), ("1979-05-27T07:32:00.5Z", "1979-05-27T07:32:00.5Z"),
        ("1979-05-27 07:32:00-07:00", "1979-05-27 07:32:00-07:00"), ("2000-02-29", "2000-02-29"),
        (#""a\tb\"\\\u00e9\U0001F600\x41\e""#, "a\tb\"\\é😀A\u{1B}"), ("'C:\\a'", "C:\\a"), ("''", ""), ("\"\"", ""),
        ("\"\"\"\"\"\"", ""), ("\"\"\"\na\n\"b\"\"\"\"\"", "a\n\"b\"\""), ("'''a''b'''''", "a''b''"),
        ("\"\"\"a \\\n\n   b\\\r\n\tc\"\"\"", "a bc"), ("'''\r\na\r\nb'''", "a\nb"), ("\"\t\"", "\t"),
        ("[]", []), ("[1, 'a', [true,],]", [1, "a", [true]]), ("[\n# first\n1 # one\n,\r\n2\n]", [1, 2]),
        ("{}", [:]), ("{a = 1, b.c = 2, 'd' = {}}", ["a": 1, "b": ["c": 2], "d": [:]]),
        ("{\n a = 1, # one\n}", ["a": 1]), ("{a.b = 1, a.c = 2}", ["a": ["b": 1, "c": 2]]),
    ]

    @Test(arguments: values)
    func valuesAreRead(_ text: String, _ value: JSONValue) throws {
        #expect(try parsed("v = \(text)")["v"] == value)
        #expect(try parsed("v=\t\(text) # comment\r\n")["v"] == value)
        #expect(try parsed("v = [\(text),\(text)]")["v"] == [value, value])
    }

    static let documents: [(String, JSONValue)] = [
        ("", [:]), ("# only a comment", [:]), ("\u{FEFF}a = 1", ["a": 1]), ("\r\n \t\n", [:]),
        ("a.b.c = 1\na.d = 2\n\"a\".'e f' = 3", ["a": ["b": ["c": 1], "d": 2, "e f": 3]]),
        ("1.5 = 1\n-_ = 2\n\"\" = 3", ["1": ["5": 1], "-_": 2, "": 3]),
        ("[a]\n[b]\nc = 1\n[ a . 'd' ]\ne = 2", ["a": ["d": ["e": 2]], "b": ["c": 1]]),
        ("[a.b.c]\nx = 1\n[a]\ny = 2", ["a": ["b": ["c": ["x": 1]], "y": 2]]),
        ("[a.b]\n[a]\nb2.c = 1\n[a.b.d]", ["a": ["b": ["d": [:]], "b2": ["c": 1]]]),
        ("[[a]]\nx = 1\n[a.b]\ny = 2\n[[a]]\n[[a.c]]\n[[a.c]]", ["a": [["x": 1, "b": ["y": 2]], ["c": [[:], [:]]]]]),
        ("a.b = 1\n[a.c]\nd = 1", ["a": ["b": 1, "c": ["d": 1]]]),
    ]

    @Test(arguments: documents)
    func tablesAreRead(_ text: String, _ value: JSONValue) throws {
        #expect(try parsed(text) == value)
    }

    static let malformedValues = [
        "yes", "True", "01", "+-1", "1__0", "_1", "1_", "0x", "0x_1", "-0x1", "0b2", "0o8", "1.", ".5", "1.e1",
        "1e", "1e_1",
        "9223372036854775808", "1e999", "0xFFFFFFFFFFFFFFFF", "1 2", "1 = 2", "infinity", "--inf", "1979-13-01",
        "1979-02-29", "1979-00-01", "1979-01-32", "1979-5-27", "24:00:00", "07:60:00", "07:32:61", "07:32:00.",
        "7:32:00",
        "1979-05-27T", "1979-05-27T07", "1979-05-27  07:32:00", "1979-05-27T07:32:00+24:00",
        "1979-05-27T07:32:00+07", "1979-05-27T07:32:00Zx", "1979-05-27Z", "'a", "\"a", "'a\n'", "\"a\n\"", "\"\\q\"",
        "\"\\u12\"", "\"\\uD800\"", "\"\\U00110000\"", "\"\\u+041\"", "\"\\x4\"", "\"\\", "\"\u{1}\"", "'\u{7F}'",
        "\"\"\"a\"\"", "'''a", "\"\"\"\\ a\"\"\"", "'''\u{0}'''", "'''\r'''", "\"\\u0000\"", "[", "[1", "[1 2]", "[,]",
        "[1,,2]",
        "[}", "[1=]", "[a]", "{", "{a}", "{a=}", "{a=1", "{a=1 b=2}", "{,}", "{a=1,,b=2}", "{a=1,a=2}", "{a=1,a.b=2}",
        "{a={},a.b=1}", "{a=1]", "1\r", "1\r\r\n", "1 # \u{1}", "1 # \r", "é", "1é",
    ]

    @Test(arguments: malformedValues)
    func malformedValuesAreRefused(_ text: String) throws {
        #expect(throws: MalformedBytes.self) { try parsed("v = \(text)") }
        #expect(throws: MalformedBytes.self) { try parsed("v = [\(text)]") }
    }

    static let malformedDocuments = [
        "a", "a =", "= 1", "a = 1 b = 2", "a b = 1", "a. = 1", ".a = 1", "a..b = 1", "é = 1", "\"\"\"a\"\"\" = 1",
        "a\n= 1",
        "[", "[]", "[a", "[a\n]", "[a]]", "[[a]", "[[a] ]", "[ [a]]", "[a.]", "[.a]", "[$]", "[=]", "[a] b = 1",
        "[a]\r", "\u{0}",
        "a = 1\u{FEFF}", " \u{FEFF}a = 1", "a = 1\na = 2", "a = 1\n'a' = 2", "a = 1\na.b = 2", "a.b = 1\na = 2",
        "a = {}\na.b = 1", "a = {}\n[a]", "a = {}\n[a.b]", "a = []\n[[a]]", "a = [{}]\n[a.b]", "a = 1\n[a]",
        "a = 1\n[a.b]",
        "[a]\n[a]", "[a]\n[[a]]", "[[a]]\n[a]", "[a.b]\nc = 1\n[a]\nb.d = 1", "[a]\nb = 1\n[a.b]", "a.b = 1\n[a]",
        "a.b.c = 1\n[a.b]", "[a.b.c]\n[a]\nb.c.d = 1", "[[a.b]]\n[a]\nb.c = 1", "[a]\nb.c = 1\n[[a.b]]",
        "[a]\n[b]\n[a]",
        "[[a]]\n[a.b]\n[a.b]", "a = {b.c = 1, b = 2}",
    ]

    @Test(arguments: malformedDocuments)
    func malformedDocumentsAreRefused(_ text: String) {
        #expect(throws: MalformedBytes.self) { try parsed(text) }
    }

    @Test func theErrorNamesThePlace() {
        #expect { try parsed("a = 1\nb = [\n  x\n]") } throws: { error in
            "\(error)" == "test line 3 at byte 14: 'x' is no value; text stands between quotes"
        }
    }

    @Test func whatIsTooDeepIsRefused() throws {
        let deepest = TOMLDocument.maximumDepth
        for (open, close) in [("[", "]"), ("{a=", "}")] {
            func nested(_ depth: Int) -> String {
                "a = " + String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            #expect(try parsed(nested(deepest - 1)).objectValue?.count == 1)
            #expect(throws: MalformedBytes.self) { try parsed(nested(deepest)) }
            #expect(throws: MalformedBytes.self) { try parsed(nested(100_000)) }
        }
        func key(_ parts: Int) -> String { Array(repeating: "a", count: parts).joined(separator: ".") }
        for depth in [deepest - 1, deepest] { _ = try parsed("[\(key(depth))]") }
        _ = try parsed("\(key(deepest)) = 1")
        for text in [
            "[\(key(deepest + 1))]", "[[\(key(deepest))]]", "\(key(deepest + 1)) = 1", "[\(key(deepest))]\na = 1",
        ] {
            #expect(throws: MalformedBytes.self) { try parsed(text) }
        }
        let together = "[\(key(30))]\n\(key(20)) = {\(key(10)) = [[[[[1]]]]]}"
        #expect(throws: MalformedBytes.self) { try parsed(together) }
    }

    /// Swift would put them in order whenever it hashes or compares, in a time that is the square of their number.
    @Test func endlessCombiningCharactersAreRefused() throws {
        let (fewer, marks) = (String(repeating: "\u{301}", count: 30), String(repeating: "\u{301}", count: 31))
        for quote in ["\"", "'", "\"\"\"", "'''"] {
            #expect(try parsed("a = \(quote)e\(fewer)\(quote)").objectValue?.count == 1)
            #expect(throws: MalformedBytes.self) { try parsed("a = \(quote)e\(marks)\(quote)") }
        }
        for quote in ["\"", "'"] {
            #expect(throws: MalformedBytes.self) { try parsed("\(quote)\(marks)\(quote) = 1") }
            #expect(throws: MalformedBytes.self) { try parsed("[a.\(quote)\(marks)\(quote)]") }
        }
        let escaped = String(repeating: "\\u0301\\u0316", count: 80_000)
        #expect(throws: MalformedBytes.self) { try parsed("\"\(escaped)\" = 1") }
    }

    /// Whatever is cut off or changed: a document or an error.
    @Test func changedDocumentsAreReadOrRefused() {
        let text = #"a.'b' = 1\#n[t.u] # c\#n[[v]]\#nx = ["\u00e9", 1e3, {y=1979-05-27 07:32:00}, '''z''']\#n"#
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            _ = try? TOMLDocument.parse(Array(bytes[..<index]), name: "test")
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = byte
                _ = try? TOMLDocument.parse(changed, name: "test")
            }
        }
        #expect(throws: Never.self) { try TOMLDocument.parse(bytes, name: "test") }
    }
}
