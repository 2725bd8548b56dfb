// SPDX-License-Identifier: Apache-2.0
import Crypto
import CryptoExtras
import Evidence

/// An attestation key of a TPM that tests play.
enum TPMTestKey: Sendable {
    case rsassa(_RSA.Signing.PrivateKey)
    case rsapss(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)

    static let sharedRSA = try? _RSA.Signing.PrivateKey(keySize: .bits2048)

    /// `subjectPublicKeyInfo`, DER.
    var publicKeyInfo: [UInt8] {
        switch self {
        case .rsassa(let key), .rsapss(let key): Array(key.publicKey.derRepresentation)
        case .p256(let key): Array(key.publicKey.derRepresentation)
        case .p384(let key): Array(key.publicKey.derRepresentation)
        }
    }

    /// TPMT_PUBLIC.
    func publicArea(attributes: UInt32) throws -> [UInt8] {
        switch self {
        case .rsassa(let key): try Self.rsa(key, 0x14, attributes)
        case .rsapss(let key): try Self.rsa(key, 0x16, attributes)
        case .p256(let key):
            TPMBytes.eccKey(curve: 3, Array(key.publicKey.rawRepresentation), attributes: attributes)
        case .p384(let key):
            TPMBytes.eccKey(curve: 4, Array(key.publicKey.rawRepresentation), attributes: attributes)
        }
    }

    private static func rsa(_ key: _RSA.Signing.PrivateKey, _ scheme: UInt16, _ attributes: UInt32) throws -> [UInt8] {
        let modulus = Array(try key.publicKey.getKeyPrimitives().modulus)
        return TPMBytes.rsaKey(modulus: modulus, scheme: scheme, attributes: attributes)
    }

    /// With SHA-256.
    func sign(_ message: [UInt8]) throws -> TPMSignature.Value {
        let digest = SHA256.hash(data: message)
        switch self {
        case .rsassa(let key):
            return .rsassa(Array(try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation))
        case .rsapss(let key):
            return .rsapss(Array(try key.signature(for: digest, padding: .PSS).rawRepresentation))
        case .p256(let key):
            let bytes = Array(try key.signature(for: digest).rawRepresentation)
            return .ecdsa(r: Array(bytes[..<32]), s: Array(bytes[32...]))
        case .p384(let key):
            let bytes = Array(try key.signature(for: digest).rawRepresentation)
            return .ecdsa(r: Array(bytes[..<48]), s: Array(bytes[48...]))
        }
    }
}
