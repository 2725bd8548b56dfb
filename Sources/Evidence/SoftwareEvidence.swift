// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import Crypto
internal import StrictJSON

/// Evidence of the `software` platform: an Ed25519 signature (RFC 8032) by a key of the service. It shows that nothing
/// was changed since the service signed, and nothing about the machine.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `report_data` | base64, 64 bytes | what is signed for: see ``ReportData`` |
/// | `public_key` | base64, 32 bytes | the service's key |
/// | `signature` | base64, 64 bytes | over ``signedMessage`` |
public struct SoftwareEvidence: Hashable, Sendable {
    public static let platform = "software"
    /// Stands before the report data in what is signed, so that the signature means nothing elsewhere.
    static let domain = "cupel software evidence v1\n"

    public let reportData: ReportData
    /// 32 bytes.
    public let publicKey: [UInt8]
    /// 64 bytes.
    public let signature: [UInt8]

    public init(reportData: ReportData, publicKey: [UInt8], signature: [UInt8]) {
        self.reportData = reportData
        self.publicKey = publicKey
        self.signature = signature
    }

    /// Signs. Throws where the key is not 32 bytes (RFC 8032, section 5.1.5).
    public init(signing reportData: ReportData, privateKey: [UInt8]) throws(MalformedBytes) {
        do {
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: privateKey)
            publicKey = Array(key.publicKey.rawRepresentation)
            signature = Array(try key.signature(for: Self.signedMessage(reportData)))
        } catch {
            throw MalformedBytes(
                format: "Ed25519 private key", offset: 0, reason: "\(privateKey.count) bytes, expected 32")
        }
        self.reportData = reportData
    }

    /// Throws at another platform, unknown or missing fields, and wrong lengths.
    public init(_ envelope: EvidenceEnvelope) throws(MalformedBytes) {
        guard envelope.platform == Self.platform else {
            throw Self.malformed("platform", "'\(envelope.platform)', expected '\(Self.platform)'")
        }
        let fields = Set(envelope.evidence.objectValue.map { Array($0.keys) } ?? [])
        guard fields == ["report_data", "public_key", "signature"] else {
            throw Self.malformed(
                "",
                "exactly report_data, public_key and signature expected, found \(fields.sorted().joined(separator: ", "))"
            )
        }
        reportData = try ReportData(bytes: Self.bytes(envelope, "report_data", count: 64))
        publicKey = try Self.bytes(envelope, "public_key", count: 32)
        signature = try Self.bytes(envelope, "signature", count: 64)
    }

    public var envelope: EvidenceEnvelope {
        EvidenceEnvelope(
            platform: Self.platform,
            evidence: [
                "report_data": .string(Base64.encode(reportData.bytes)),
                "public_key": .string(Base64.encode(publicKey)),
                "signature": .string(Base64.encode(signature)),
            ])
    }

    /// What the signature covers.
    public static func signedMessage(_ reportData: ReportData) -> [UInt8] { Array(domain.utf8) + reportData.bytes }

    private static func bytes(
        _ envelope: EvidenceEnvelope, _ field: String, count: Int
    ) throws(MalformedBytes) -> [UInt8] {
        guard let text = envelope.evidence[field]?.stringValue else { throw malformed(field, "a string expected") }
        let bytes = try Base64.decode(text)
        guard bytes.count == count else { throw malformed(field, "\(bytes.count) bytes, expected \(count)") }
        return bytes
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "software evidence", field: field, offset: 0, reason: reason)
    }
}
