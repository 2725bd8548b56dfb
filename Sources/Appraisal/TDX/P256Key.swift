// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto

/// An ECDSA key on P-256, which Intel signs everything with, read once and used for many signatures.
struct P256Key: Sendable {
    private static let publicKeyInfoPrefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
        0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    private let key: P256.Signing.PublicKey

    /// - Parameter point: x and y, 64 bytes. `nil` where it is not on the curve.
    init?(point: some Collection<UInt8>) {
        guard point.count == 64, let key = try? P256.Signing.PublicKey(rawRepresentation: Array(point)) else {
            return nil
        }
        self.key = key
    }

    /// - Parameter publicKeyInfo: `subjectPublicKeyInfo`, DER. `nil` for any other key.
    init?(publicKeyInfo: [UInt8]) {
        guard publicKeyInfo.starts(with: Self.publicKeyInfoPrefix) else { return nil }
        self.init(point: publicKeyInfo.dropFirst(Self.publicKeyInfoPrefix.count))
    }

    /// - Parameter signature: r and s, 64 bytes.
    func isValid(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
        return key.isValidSignature(signature, for: SHA256.hash(data: message))
    }

    /// Whether the certificate is signed by this key; whether the names agree is not looked at.
    func signed(_ certificate: Certificate) -> Bool {
        signed(certificate.signedBytes, certificate.algorithm, certificate.signature)
    }

    func signed(_ list: RevocationList) -> Bool { signed(list.signedBytes, list.algorithm, list.signature) }

    private func signed(_ message: [UInt8], _ algorithm: SignatureAlgorithm, _ signature: [UInt8]) -> Bool {
        guard algorithm == .ecdsaWithSHA256, let signature = try? Self.numbers(signature) else { return false }
        return isValid(signature, over: message)
    }

    /// r and s, 64 bytes, of ECDSA-Sig-Value (RFC 3279, section 2.2.3).
    private static func numbers(_ der: [UInt8]) throws(MalformedBytes) -> [UInt8] {
        var root = DERScanner(der, format: "ECDSA signature")
        var list = try root.sequence("ECDSA-Sig-Value")
        try root.finish("ECDSA-Sig-Value")
        let (r, s) = (try number(&list, "r"), try number(&list, "s"))
        try list.finish("ECDSA-Sig-Value")
        return r + s
    }

    private static func number(_ list: inout DERScanner, _ field: String) throws(MalformedBytes) -> [UInt8] {
        let octets = try list.integer(field)
        let digits = octets.first == 0 ? octets.dropFirst() : octets[...]
        guard octets[0] < 0x80, digits.count <= 32 else { throw list.malformed(field, "not a number of 256 bits") }
        return [UInt8](repeating: 0, count: 32 - digits.count) + digits
    }
}
