// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Testing

@Suite struct SignedBindingTests {
    private static let digest = [UInt8](repeating: 0xD1, count: 32)

    @Test(
        arguments: [
            ("the nonce and zeros", [1, 2, 0, 0], [1, 2], true),
            ("the nonce alone", [1, 2], [1, 2], true),
            ("a longer nonce", [1, 2, 3], [1, 2], false),
            ("a shorter nonce", [1], [1, 2], false),
            ("another nonce", [1, 3], [1, 2], false),
            ("something after the zeros", [1, 2, 0, 1], [1, 2], false),
            ("no nonce", [], [1], false),
            ("no nonce asked for", [0, 0], [], true),
            ("a nonce where none was asked for", [1], [], false),
            ("a nonce that ends in zeros", [1, 0], [1, 0], true),
            ("zeros that were cut off", [1], [1, 0], false),
        ] as [(String, [UInt8], [UInt8], Bool)])
    func theNonceIsFollowedByNothingButZeros(name: String, tail: [UInt8], nonce: [UInt8], carries: Bool) {
        let binding = SignedBinding(bytes: Self.digest + tail)
        #expect(binding.carries(nonce: nonce) == carries)
        #expect(binding.digest == Self.digest)
    }

    @Test func tooFewBytesCarryNothing() {
        let binding = SignedBinding(bytes: [1, 2, 3])
        #expect(binding.digest == [1, 2, 3] && binding.nonceField.isEmpty && !binding.carries(nonce: [3]))
        #expect(SignedBinding(bytes: []).digest.isEmpty)
    }

    @Test func theNonceIsShownWithoutItsPadding() throws {
        let data = try ReportData(provenanceDigest: Digest256(of: []), nonce: [0, 1, 0])
        #expect(SignedBinding(data).nonceField == [0, 1] && SignedBinding(data).bytes == data.bytes)
    }
}
