// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

@Suite struct Digest256Tests {
    /// FIPS 180-4, as NIST's examples give them.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func theVectorsOfNISTAgree(text: String, hex: String) throws {
        #expect(Digest256(of: Array(text.utf8)).hex == hex)
        #expect(try Digest256(hex: hex) == Digest256(of: Array(text.utf8)))
    }

    @Test func aStreamGivesTheSameDigestHoweverItIsCut() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        for size in [1, 7, 64, 999, 1000] {
            var stream = Digest256.Stream()
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                if start.isMultiple(of: 2) { stream.update(piece) } else { piece.withUnsafeBytes { stream.update($0) } }
            }
            #expect(stream.digest == Digest256(of: bytes))
        }
    }

    @Test func aStreamGoesOnAfterItsDigest() {
        var stream = Digest256.Stream()
        #expect(stream.digest == Digest256(of: []))
        stream.update([1])
        #expect(stream.digest == Digest256(of: [1]))
        stream.update([2])
        #expect(stream.digest == Digest256(of: [1, 2]))
    }

    @Test func onlyThirtyTwoBytesAreADigest() {
        for count in [0, 31, 33, 64] {
            #expect(throws: MalformedBytes.self) { try Digest256(rawBytes: Array(repeating: 0, count: count)) }
        }
    }

    @Test func onlyLowerCaseHexIsADigest() {
        let hex = Digest256(of: []).hex
        for text in [hex.uppercased(), String(hex.dropLast()), hex + "00", "", "sha256:" + hex] {
            #expect(throws: MalformedBytes.self) { try Digest256(hex: text) }
        }
    }

    @Test func digestsSortByTheirBytes() throws {
        let low = try Digest256(rawBytes: Array(repeating: 1, count: 32))
        let high = try Digest256(rawBytes: [2] + Array(repeating: 0, count: 31))
        #expect(low < high && !(high < low) && !(low < low))
        #expect("\(low)" == low.hex)
    }
}
