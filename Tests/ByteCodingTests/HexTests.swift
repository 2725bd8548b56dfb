// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

@Suite struct HexTests {
    @Test func everyByteComesBackInEitherCase() throws {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hex.encode(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
        #expect(try Hex.decode(text) == bytes)
        #expect(try Hex.decode(text.uppercased()) == bytes)
    }

    @Test(arguments: ["0", "000", "0g", "g0", "0x00", " 00", "00 ", "0 0", "+1", "é", "\u{0660}0"])
    func everythingElseIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try Hex.decode(text) }
    }
}
