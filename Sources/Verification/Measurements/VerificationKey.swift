// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
public import ByteCoding
internal import Crypto

/// A public key that may sign lists of images: Ed25519 (RFC 8032), or ECDSA on P-256 with SHA-256 (FIPS 186-5).
public struct VerificationKey: Hashable, Sendable, CustomStringConvertible {
    public let algorithm: Algorithm
    /// SubjectPublicKeyInfo, DER.
    public let publicKeyInfo: [UInt8]

    public enum Algorithm: String, CaseIterable, Sendable {
        case ed25519 = "Ed25519"
        /// Signatures are DER.
        case p256 = "ECDSA P-256"
    }

    /// What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410, section 4).
    private static let ed25519Head: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

    /// The keys that sign the lists of Cupel's own releases. There is none yet, as no image has been released.
    public static let cupelReleases: [VerificationKey] = []

    /// Throws unless there are exactly 32 bytes.
    public init(ed25519 bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count == 32 else { throw Self.malformed("\(bytes.count) bytes, expected 32") }
        try self.init(publicKeyInfo: Self.ed25519Head + bytes)
    }

    /// Throws at other algorithms and curves, and at points that are not on the curve.
    public init(publicKeyInfo der: [UInt8]) throws(MalformedBytes) {
        publicKeyInfo = der
        if der.count == 44, der.starts(with: Self.ed25519Head) {
            algorithm = .ed25519
        } else if let key = try? P256.Signing.PublicKey(derRepresentation: der), Array(key.derRepresentation) == der {
            algorithm = .p256
        } else {
            throw Self.malformed("neither Ed25519 nor ECDSA P-256 as X.509 writes it")
        }
    }

    /// Whether a text is a key, and not the name of a file that holds one.
    public static func isKeyItself(_ text: String) -> Bool {
        text.contains("-----BEGIN") || (text.utf8.count == 64 && text.allSatisfy(\.isHexDigit))
    }

    /// Reads PEM ("PUBLIC KEY"), or 64 hexadecimal digits of an Ed25519 key; white space around them does not count.
    public init(text bytes: [UInt8]) throws(MalformedBytes) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.contains("-----BEGIN") else {
            let blocks = try PEM.decode(bytes, label: "PUBLIC KEY")
            guard blocks.count == 1 else { throw Self.malformed("\(blocks.count) keys, expected one") }
            try self.init(publicKeyInfo: blocks[0])
            return
        }
        let digits = text.split(whereSeparator: \.isWhitespace)
        guard digits.count == 1, let key = try? Hex.decode(String(digits[0])) else {
            throw Self.malformed("neither PEM nor hexadecimal")
        }
        try self.init(ed25519: key)
    }

    /// The SHA-256 of ``publicKeyInfo``.
    public var id: Digest256 { Digest256(of: publicKeyInfo) }

    public var description: String { "\(algorithm.rawValue) key \(id)" }

    public func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch algorithm {
        case .ed25519:
            let key = try? Curve25519.Signing.PublicKey(
                rawRepresentation: publicKeyInfo.dropFirst(Self.ed25519Head.count))
            return key?.isValidSignature(signature, for: message) ?? false
        case .p256:
            guard let key = try? P256.Signing.PublicKey(derRepresentation: publicKeyInfo),
                let parsed = try? P256.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(parsed, for: message)
        }
    }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "public key", offset: 0, reason: reason)
    }
}
