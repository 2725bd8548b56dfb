// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
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
    init(_ der: [UInt8]) { self = Self.known[Hex.encode(der)] ?? .other }

    private static let known: [String: SignatureAlgorithm] = {
        let pss =
            "06092a864886f70d01010a3034a00f300d06096086480165030402020500"
            + "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"
        let pssWithTrailer = pss.replacing("010a3034", with: "010a3039") + "a303020101"
        return [
            "3041" + pss: .rsaPSSWithSHA384, "3046" + pssWithTrailer: .rsaPSSWithSHA384,
            "300a06082a8648ce3d040302": .ecdsaWithSHA256, "300a06082a8648ce3d040303": .ecdsaWithSHA384,
            "300d06092a864886f70d01010b0500": .rsaWithSHA256, "300d06092a864886f70d01010c0500": .rsaWithSHA384,
        ]
    }()

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
