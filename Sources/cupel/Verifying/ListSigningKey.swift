// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Foundation
import Verification

/// A private key that signs lists of images.
enum ListSigningKey {
    case ed25519(Curve25519.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)

    /// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7).
    private static let ed25519Head: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    /// Reads PEM: Ed25519 as PKCS #8, P-256 as PKCS #8 or SEC 1.
    init(pem: [UInt8]) throws {
        if let blocks = try? PEM.decode(pem, label: "PRIVATE KEY"), let der = blocks.first, blocks.count == 1,
            der.count == 48, der.starts(with: Self.ed25519Head)
        {
            self = .ed25519(try Curve25519.Signing.PrivateKey(rawRepresentation: der.suffix(32)))
        } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: String(decoding: pem, as: UTF8.self)) {
            self = .p256(key)
        } else {
            throw CommandFailure(
                "the key is neither Ed25519 nor ECDSA P-256 in PEM",
                hint: "openssl genpkey -algorithm ed25519 -out key.pem makes one")
        }
    }

    var publicKey: VerificationKey {
        get throws {
            switch self {
            case .ed25519(let key): try VerificationKey(ed25519: Array(key.publicKey.rawRepresentation))
            case .p256(let key): try VerificationKey(publicKeyInfo: Array(key.publicKey.derRepresentation))
            }
        }
    }

    func sign(_ list: MeasurementList) throws -> DSSEEnvelope {
        let type = MeasurementList.payloadType
        let payload = list.canonicalBytes
        let message = DSSEEnvelope(payloadType: type, payload: payload, signatures: []).preAuthenticationEncoding
        let signature =
            switch self {
            case .ed25519(let key): Array(try key.signature(for: message))
            case .p256(let key): Array(try key.signature(for: message).derRepresentation)
            }
        return DSSEEnvelope(
            payloadType: type, payload: payload,
            signatures: [DSSEEnvelope.Signature(keyID: try publicKey.id.hex, bytes: signature)])
    }
}
