// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing

@Suite struct LogLinesTests {
    private static func marks(_ count: Int) -> String { String(repeating: "\u{301}", count: count) }

    /// All lines of `bytes`, fed in pieces of `size` bytes.
    private static func lines(_ bytes: [UInt8], piece size: Int = .max) -> [String] {
        var log = LogLines()
        var lines: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            lines += Array(rest.prefix(size)).withUnsafeBytes { log.lines(from: $0) }
            rest = rest.dropFirst(size)
        }
        if let last = log.finish() { lines.append(last) }
        return lines
    }

    @Test(
        arguments: [
            ("", []),
            ("a", ["a"]),
            ("a\n", ["a"]),
            ("\n\n", ["", ""]),
            ("  a \n\tb\n", ["  a ", "\tb"]),
            ("a\r\nb\r\n", ["a", "b"]),
            ("a\rb\n", ["a\u{FFFD}b"]),
            ("\u{1B}[1;31merror\u{1B}[0m: x\n", ["error: x"]),
            ("\u{1B}[?25h\u{1B}[2Kx\n", ["x"]),
            ("\u{1B}]0;title\u{07}x\n", ["x"]),
            ("\u{1B}]8;;https://e.org\u{1B}\\x\u{1B}]8;;\u{1B}\\\n", ["x"]),
            ("\u{1B}(Bx\u{1B}cy\n", ["xy"]),
            ("\u{1B}Pq#0\u{1B}\\x\n", ["x"]),
            ("\u{1B}]0;never ends\nx\n", ["", "x"]),
            ("a\u{1B}", ["a"]),
            ("a\u{0}b\u{7}c\u{7F}d\u{9B}e\n", ["a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e"]),
            ("é中😀\n", ["é中😀"]),
            // Readers of JSON that keep to 30 combining characters in a row read every line.
            ("a" + marks(70) + "\n", ["a" + marks(30) + "\u{FFFD}" + marks(30) + "\u{FFFD}" + marks(8)]),
        ] as [(String, [String])])
    func outputBecomesLines(output: String, lines: [String]) {
        for size in [1, 2, 3, Int.max] { #expect(Self.lines(Array(output.utf8), piece: size) == lines) }
    }

    @Test(
        arguments: [
            ([0x61, 0xFF, 0x62], "a\u{FFFD}b"),
            ([0xC3], "\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xE2, 0x82, 0x41], "\u{FFFD}A"),
        ] as [([UInt8], String)])
    func badBytesAreReplaced(bytes: [UInt8], line: String) {
        #expect(Self.lines(bytes + [0x0A], piece: 1) == [line])
    }

    @Test func aLineIsCutAtItsLimit() {
        let limit = LogLines.maximumLength
        let whole = [UInt8](repeating: 0x61, count: limit)
        #expect(Self.lines(whole + [0x0A, 0x62]) == [String(decoding: whole, as: UTF8.self), "b"])
        let lines = Self.lines(whole + [0x61, 0x0A, 0x62], piece: 1000)
        #expect(lines.count == 2 && lines[1] == "b")
        #expect(lines[0].utf8.count == limit && lines[0].hasSuffix("a […]"))
    }

    @Test(arguments: 1...4)
    func aCutLeavesNoHalfCharacter(offset: Int) throws {
        let bytes = [UInt8](repeating: 0x61, count: offset) + Array(String(repeating: "😀", count: 5000).utf8)
        let line = try #require(Self.lines(bytes + [0x0A]).first)
        #expect(line.utf8.count <= LogLines.maximumLength && line.hasSuffix("😀 […]"))
        #expect(!line.unicodeScalars.contains("\u{FFFD}"))
    }

    /// Each bad byte takes one byte in and three out.
    @Test func replacementsDoNotLengthenALineBeyondItsLimit() throws {
        let line = try #require(Self.lines([UInt8](repeating: 0xFF, count: LogLines.maximumLength) + [0x0A]).first)
        #expect(line.utf8.count <= LogLines.maximumLength && line.hasSuffix("\u{FFFD} […]"))
    }

    @Test func aLineWithoutEndTakesBoundedMemory() {
        var log = LogLines()
        let piece = [UInt8](repeating: 0x61, count: 1 << 16)
        for _ in 0..<256 { piece.withUnsafeBytes { #expect(log.lines(from: $0).isEmpty) } }
        #expect(log.finish()?.utf8.count == LogLines.maximumLength)
        #expect(log.finish() == nil)
    }
}
