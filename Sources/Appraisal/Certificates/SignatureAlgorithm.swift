// SPDX-License-Identifier: Apache-2.0
internal import Crypto
internal import CryptoExtras

/// How a certificate or list is signed: the algorithms that vendors of hardware use, and no others.
package enum SignatureAlgorithm: Hashable, Sendable {
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, and a salt of 48 bytes (RFC 4055): AMD's.
    case rsaPSSWithSHA384
    /// ECDSA on P-256 with SHA-256 (RFC 5758): Intel's.
    case ecdsaWithSHA256
    /// ECDSA on P-384 with SHA-384.
    case ecdsaWithSHA384
    /// RSASSA-PKCS1-v1_5 (RFC 4055): makers of TPMs.
    case rsaWithSHA256
    case rsaWithSHA384
    /// Nothing verifies under it.
    case other

    /// By the AlgorithmIdentifier's DER, parameters included.
    init(_ der: [UInt8]) { self = Self.known[der] ?? .other }

    private static let known: [[UInt8]: SignatureAlgorithm] = {
        var known: [[UInt8]: SignatureAlgorithm] = [
            sequence(ecdsa + [0x02]): .ecdsaWithSHA256, sequence(ecdsa + [0x03]): .ecdsaWithSHA384,
            sequence(rsa + [0x0B] + null): .rsaWithSHA256, sequence(rsa + [0x0C] + null): .rsaWithSHA384,
        ]
        // RFC 4055 lets hashes have NULL or no parameters, and issuers write the default trailer out or not.
        for hash in [sequence(sha384 + null), sequence(sha384)] {
            let parameters =
                element(0xA0, hash) + element(0xA1, sequence(rsa + [0x08] + hash)) + [0xA2, 3, 2, 1, 48]
            for trailer: [UInt8] in [[], [0xA3, 3, 2, 1, 1]] {
                known[sequence(rsa + [0x0A] + sequence(parameters + trailer))] = .rsaPSSWithSHA384
            }
        }
        return known
    }()

    private static let null: [UInt8] = [0x05, 0x00]
    /// The beginnings of 1.2.840.113549.1.1.n and 1.2.840.10045.4.3.n, and the whole of SHA-384's.
    private static let rsa: [UInt8] = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1]
    private static let ecdsa: [UInt8] = [0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3]
    private static let sha384: [UInt8] = [0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]

    private static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }
    /// Of fewer than 128 bytes.
    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag, UInt8(content.count)] + content
    }

    /// Whether `signature` over `message` is by the key that `publicKeyInfo` (DER) holds.
    package func isValid(_ signature: [UInt8], over message: [UInt8], by publicKeyInfo: [UInt8]) -> Bool {
        switch self {
        case .rsaPSSWithSHA384: isRSA(signature, SHA384.hash(data: message), publicKeyInfo, .PSS)
        case .rsaWithSHA256: isRSA(signature, SHA256.hash(data: message), publicKeyInfo, .insecurePKCS1v1_5)
        case .rsaWithSHA384: isRSA(signature, SHA384.hash(data: message), publicKeyInfo, .insecurePKCS1v1_5)
        case .ecdsaWithSHA256: isP256(signature, SHA256.hash(data: message), publicKeyInfo)
        case .ecdsaWithSHA384: isP384(signature, SHA384.hash(data: message), publicKeyInfo)
        case .other: false
        }
    }

    private func isRSA(
        _ signature: [UInt8], _ digest: some Digest, _ key: [UInt8], _ padding: _RSA.Signing.Padding
    ) -> Bool {
        guard let key = try? _RSA.Signing.PublicKey(derRepresentation: key) else { return false }
        return key.isValidSignature(.init(rawRepresentation: signature), for: digest, padding: padding)
    }

    private func isP256(_ signature: [UInt8], _ digest: some Digest, _ key: [UInt8]) -> Bool {
        guard let key = try? P256.Signing.PublicKey(derRepresentation: key),
            let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: digest)
    }

    private func isP384(_ signature: [UInt8], _ digest: some Digest, _ key: [UInt8]) -> Bool {
        guard let key = try? P384.Signing.PublicKey(derRepresentation: key),
            let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: digest)
    }
}
