// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Crypto
import Evidence
import Testing

@Suite struct SoftwareAttesterTests {
    private static func request() throws -> AttestationRequest {
        try AttestationRequest(provenanceDigest: Digest256(of: [1]), nonce: [2])
    }

    @Test func theEvidenceIsSignedByItsKey() throws {
        let attester = try SoftwareAttester(privateKey: SoftwareAttester.generateKey())
        let envelope = try attester.attest(Self.request())
        let evidence = try SoftwareEvidence(envelope)
        #expect(envelope.platform == attester.platform && evidence.publicKey == attester.publicKey)
        #expect(try evidence.reportData == Self.request().reportData)
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: attester.publicKey)
        #expect(key.isValidSignature(evidence.signature, for: SoftwareEvidence.signedMessage(evidence.reportData)))
    }

    /// RFC 8032, section 7.1, test 1.
    @Test func aStoredKeyIsTheSameKeyLater() throws {
        let secret = try Hex.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        let attester = try SoftwareAttester(privateKey: secret)
        #expect(
            Hex.encode(attester.publicKey) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    }

    @Test func everyNewKeyIsAnother() {
        let keys = Set((0..<8).map { _ in SoftwareAttester.generateKey() })
        #expect(keys.count == 8 && keys.allSatisfy { $0.count == 32 })
    }

    @Test(arguments: [0, 31, 33, 64])
    func aKeyOfAnotherLengthIsRefused(count: Int) {
        let error = #expect(throws: AttesterError.self) {
            try SoftwareAttester(privateKey: [UInt8](repeating: 1, count: count))
        }
        #expect(error?.message == "the software key must be 32 bytes, found \(count)")
    }
}
