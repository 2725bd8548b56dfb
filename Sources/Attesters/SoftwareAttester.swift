// SPDX-License-Identifier: Apache-2.0
internal import Crypto
public import Evidence

/// Signs as the `software` platform, with a key of the service. It proves nothing about the machine.
public struct SoftwareAttester: Attester {
    private let key: Curve25519.Signing.PrivateKey

    /// - Parameter privateKey: 32 bytes (RFC 8032, section 5.1.5). Throws where they are not.
    public init(privateKey: [UInt8]) throws(AttesterError) {
        do {
            key = try Curve25519.Signing.PrivateKey(rawRepresentation: privateKey)
        } catch {
            throw AttesterError(.invalid, "the software key must be 32 bytes, found \(privateKey.count)")
        }
    }

    /// A new private key, 32 bytes.
    public static func generateKey() -> [UInt8] { Array(Curve25519.Signing.PrivateKey().rawRepresentation) }

    public var platform: String { SoftwareEvidence.platform }

    /// 32 bytes.
    public var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    public func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
        do {
            return try SoftwareEvidence(signing: request.reportData, privateKey: Array(key.rawRepresentation)).envelope
        } catch {
            throw AttesterError(.failed, "the software key could not sign: \(error)")
        }
    }
}
