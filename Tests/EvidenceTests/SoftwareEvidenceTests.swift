// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Crypto
import Evidence
import StrictJSON
import Testing

@Suite struct SoftwareEvidenceTests {
    private static let key = [UInt8](repeating: 7, count: 32)

    private static func evidence() throws -> SoftwareEvidence {
        try SoftwareEvidence(
            signing: ReportData(provenanceDigest: Digest256(of: [1]), nonce: [0xAB]), privateKey: key)
    }

    @Test func evidenceComesBackFromItsEnvelope() throws {
        let evidence = try Self.evidence()
        let envelope = try EvidenceEnvelope(parsing: evidence.envelope.canonicalBytes)
        #expect(envelope.platform == "software")
        #expect(envelope.evidence.objectValue?.keys.sorted() == ["public_key", "report_data", "signature"])
        #expect(try SoftwareEvidence(envelope) == evidence)
    }

    /// So that other verifiers can check it: the message is spelt out here.
    @Test func theSignatureCoversTheDomainAndTheReportData() throws {
        let evidence = try Self.evidence()
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: evidence.publicKey)
        let message = Array("cupel software evidence v1\n".utf8) + evidence.reportData.bytes
        #expect(key.isValidSignature(evidence.signature, for: message))
        #expect(!key.isValidSignature(evidence.signature, for: evidence.reportData.bytes))
    }

    @Test(arguments: [0, 31, 33, 64])
    func aKeyOfAnotherLengthIsRefused(count: Int) throws {
        let data = try ReportData(provenanceDigest: Digest256(of: []), nonce: [])
        #expect(throws: MalformedBytes.self) {
            try SoftwareEvidence(signing: data, privateKey: [UInt8](repeating: 1, count: count))
        }
    }

    private static func base64(_ count: Int) -> JSONValue {
        .string(Base64.encode([UInt8](repeating: 0, count: count)))
    }

    @Test(
        arguments: [
            ("report_data of 63 bytes", "report_data", base64(63)),
            ("report_data of 65 bytes", "report_data", base64(65)),
            ("a key of 31 bytes", "public_key", base64(31)),
            ("a signature of 63 bytes", "signature", base64(63)),
            ("a signature of 65 bytes", "signature", base64(65)),
            ("a number", "signature", 1),
            ("hex", "public_key", .string(String(repeating: "0", count: 64))),
            ("base64 without padding", "public_key", .string(String(Base64.encode(key).dropLast()))),
            ("an unknown field", "more", ""),
            ("a missing field", "signature", nil),
        ] as [(String, String, JSONValue?)])
    func everythingElseIsRefused(name: String, field: String, value: JSONValue?) throws {
        var members = try #require(Self.evidence().envelope.evidence.objectValue)
        members[field] = value
        let envelope = EvidenceEnvelope(platform: "software", evidence: .object(members))
        #expect(throws: MalformedBytes.self) { try SoftwareEvidence(envelope) }
    }

    @Test func anotherPlatformIsRefused() throws {
        let envelope = EvidenceEnvelope(platform: "snp", evidence: try Self.evidence().envelope.evidence)
        let error = #expect(throws: MalformedBytes.self) { try SoftwareEvidence(envelope) }
        #expect(error?.field == "platform")
    }
}
