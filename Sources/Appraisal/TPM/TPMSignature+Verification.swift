// SPDX-License-Identifier: Apache-2.0
internal import Crypto
internal import CryptoExtras
package import Evidence

extension TPMSignature {
    /// Whether the signature over `message` is by the key that `publicKeyInfo` (DER) holds: RSA of at least 2,048
    /// bits, P-256 or P-384. Never for SHA-1, for which collisions can be made.
    package func isValid(over message: [UInt8], by publicKeyInfo: [UInt8]) -> Bool {
        switch hash {
        case .sha1: false
        case .sha256: isValid(SHA256.hash(data: message), publicKeyInfo)
        case .sha384: isValid(SHA384.hash(data: message), publicKeyInfo)
        case .sha512: isValid(SHA512.hash(data: message), publicKeyInfo)
        }
    }

    private func isValid(_ digest: some Digest, _ key: [UInt8]) -> Bool {
        switch value {
        case .rsassa(let signature): Self.isRSA(signature, digest, key, .insecurePKCS1v1_5)
        case .rsapss(let signature): Self.isRSA(signature, digest, key, .PSS)
        case .ecdsa(let r, let s): Self.isP256(r, s, digest, key) || Self.isP384(r, s, digest, key)
        }
    }

    private static func isRSA(
        _ signature: [UInt8], _ digest: some Digest, _ key: [UInt8], _ padding: _RSA.Signing.Padding
    ) -> Bool {
        guard let key = try? _RSA.Signing.PublicKey(derRepresentation: key) else { return false }
        return key.isValidSignature(.init(rawRepresentation: signature), for: digest, padding: padding)
    }

    private static func isP256(_ r: [UInt8], _ s: [UInt8], _ digest: some Digest, _ key: [UInt8]) -> Bool {
        guard let key = try? P256.Signing.PublicKey(derRepresentation: key), let bytes = joined(r, s, size: 32),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: bytes)
        else { return false }
        return key.isValidSignature(signature, for: digest)
    }

    private static func isP384(_ r: [UInt8], _ s: [UInt8], _ digest: some Digest, _ key: [UInt8]) -> Bool {
        guard let key = try? P384.Signing.PublicKey(derRepresentation: key), let bytes = joined(r, s, size: 48),
            let signature = try? P384.Signing.ECDSASignature(rawRepresentation: bytes)
        else { return false }
        return key.isValidSignature(signature, for: digest)
    }

    /// Both numbers at the curve's length; `nil` where one is longer.
    private static func joined(_ r: [UInt8], _ s: [UInt8], size: Int) -> [UInt8]? {
        guard r.count <= size, s.count <= size else { return nil }
        return [r, s].flatMap { [UInt8](repeating: 0, count: size - $0.count) + $0 }
    }
}
