// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

@Suite struct ByteWriterTests {
    @Test func numbersAreReadAsTheyWereWritten() throws {
        var writer = ByteWriter()
        writer.bigEndian(UInt16(0x0102))
        writer.bigEndian(UInt32(0x0304_0506))
        writer.bigEndian(UInt64(0x0708_090A_0B0C_0D0E))
        writer.littleEndian(UInt16(0x0201))
        writer.littleEndian(UInt32(0x0605_0403))
        writer.append([7])
        writer.zeros(2)
        #expect(writer.bytes == Array(1...14) + Array(1...7) + [0, 0])
        var cursor = ByteCursor(writer.bytes, format: "test")
        #expect(try cursor.bigEndianUInt16("a") == 0x0102)
        #expect(try cursor.bigEndianUInt32("b") == 0x0304_0506)
        #expect(try cursor.bigEndianUInt64("c") == 0x0708_090A_0B0C_0D0E)
        #expect(try cursor.uint16("d") == 0x0201)
        #expect(try cursor.uint32("e") == 0x0605_0403)
        #expect(try cursor.uint8("f") == 7)
        try cursor.zeros(21, 2, "g")
        try cursor.end()
    }

    @Test func aReservedByteThatIsNotZeroIsNamedWhereItsFieldBegins() throws {
        var cursor = ByteCursor([0, 1], format: "test")
        let error = try #require(throws: MalformedBytes.self) { try cursor.zeros(0, 2, "reserved") }
        #expect(error.field == "reserved" && error.offset == 0)
    }
}
