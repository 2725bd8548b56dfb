// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

@Suite struct ByteCursorTests {
    /// A format with a field of every kind.
    private struct Sample: Equatable {
        var byte: UInt8
        var short: UInt16
        var word: UInt32
        var long: UInt64
        var rest: [UInt8]

        init(_ bytes: [UInt8]) throws(MalformedBytes) {
            var cursor = ByteCursor(bytes, format: "sample")
            byte = try cursor.uint8(0, "BYTE")
            short = try cursor.uint16(1, "SHORT")
            word = try cursor.uint32(3, "WORD")
            long = try cursor.uint64(7, "LONG")
            rest = try cursor.bytes(15, 2, "REST")
            try cursor.end(17)
        }
    }

    private static let bytes = (1...17).map { UInt8($0) }

    @Test func integersAreLittleEndian() throws {
        let sample = try Sample(Self.bytes)
        #expect(sample.byte == 1 && sample.short == 0x0302 && sample.word == 0x0706_0504)
        #expect(sample.long == 0x0F0E_0D0C_0B0A_0908 && sample.rest == [16, 17])
    }

    @Test(
        arguments: zip(
            0...16,
            [
                ["BYTE"], Array(repeating: "SHORT", count: 2), Array(repeating: "WORD", count: 4),
                Array(repeating: "LONG", count: 8), Array(repeating: "REST", count: 2),
            ].flatMap { $0 }))
    func eachPrefixFailsInItsField(length: Int, field: String) {
        let error = #expect(throws: MalformedBytes.self) { try Sample(Array(Self.bytes.prefix(length))) }
        #expect(error?.field == field && error?.format == "sample")
    }

    @Test func trailingBytesAreRefused() {
        let error = #expect(throws: MalformedBytes.self) { try Sample(Self.bytes + [0]) }
        #expect(error?.offset == 17 && error?.reason == "1 bytes beyond the end")
    }

    @Test func aNegativeOrHugeCountIsRefused() {
        var cursor = ByteCursor(Self.bytes, format: "sample")
        for count in [-1, Int.min, Int.max, 18] {
            #expect(throws: MalformedBytes.self) { try cursor.bytes(count, "FIELD") }
        }
        #expect(cursor.offset == 0 && cursor.remaining == 17)
    }

    @Test func errorsReadAsASentence() {
        let error = ByteCursor([], format: "sample").malformed("FIELD", "wrong")
        #expect("\(error)" == "sample FIELD at byte 0: wrong")
    }
}
