// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The public part of a TPM's key (TPM 2.0 Library part 2, TPMT_PUBLIC).
///
/// Integers are big-endian.
///
/// | size | field | meaning |
/// |---|---|---|
/// | 2 | type | 0x0001 RSA, 0x0023 ECC |
/// | 2 | nameAlg | ``TPMHashAlgorithm`` of the key's name |
/// | 4 | objectAttributes | ``TPMObjectAttributes`` |
/// | TPM2B | authPolicy | |
/// | 2 (+ 4) | parameters.symmetric | algorithm; unless it is null (0x0010), key bits and mode |
/// | 2 (+ 2, + 2) | parameters.scheme | algorithm; for most a hash; for ECDAA a count |
/// | 2, 4 | RSA: keyBits, exponent | an exponent of 0 stands for 65537 |
/// | 2, 2 (+ 2) | ECC: curveID, kdf | |
/// | TPM2B | RSA: unique | modulus |
/// | TPM2B, TPM2B | ECC: unique | x, y |
public struct TPMPublic: Hashable, Sendable {
    public enum Key: Hashable, Sendable {
        /// Big-endian.
        case rsa(modulus: [UInt8], exponent: UInt32)
        /// Big-endian, without a fixed length.
        case ecc(curve: UInt16, x: [UInt8], y: [UInt8])
    }

    /// An asymmetric scheme and its hash; `nil` where the key may be used with any.
    public struct Scheme: Hashable, Sendable {
        public let algorithm: UInt16
        public let hash: TPMHashAlgorithm?
    }

    public let nameAlgorithm: TPMHashAlgorithm
    public let attributes: TPMObjectAttributes
    public let authPolicy: [UInt8]
    public let scheme: Scheme?
    public let key: Key
    /// The whole structure, as it came.
    public let bytes: [UInt8]

    /// What TPMs call the key: the name algorithm (2 bytes) and the digest of the structure.
    public var name: [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(nameAlgorithm.rawValue)
        writer.append(nameAlgorithm.digest(of: bytes))
        return writer.bytes
    }

    /// Throws at other kinds of keys, unknown algorithms, and trailing bytes.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "TPMT_PUBLIC")
        let type = try cursor.bigEndianUInt16("type")
        nameAlgorithm = try TPMHashAlgorithm(&cursor, "nameAlg")
        attributes = TPMObjectAttributes(rawValue: try cursor.bigEndianUInt32("objectAttributes"))
        authPolicy = try cursor.sized("authPolicy")
        if try cursor.bigEndianUInt16("parameters.symmetric") != TPMAlgorithmID.null {
            _ = try cursor.bytes(4, "parameters.symmetric.keyBits and mode")
        }
        scheme = try Self.scheme(&cursor)
        switch type {
        case TPMAlgorithmID.rsa: key = try Self.rsaKey(&cursor)
        case TPMAlgorithmID.ecc: key = try Self.eccKey(&cursor)
        default: throw cursor.malformed("type", "0x\(String(type, radix: 16)) is neither RSA nor ECC")
        }
        try cursor.end()
        self.bytes = bytes
    }

    /// Reads a TPM2B_PUBLIC: the same with its size (2 bytes) before it.
    public init(decodingSized bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "TPM2B_PUBLIC")
        let content = try cursor.sized("publicArea")
        try cursor.end()
        try self.init(decoding: content)
    }

    private static func scheme(_ cursor: inout ByteCursor) throws(MalformedBytes) -> Scheme? {
        let algorithm = try cursor.bigEndianUInt16("parameters.scheme")
        switch algorithm {
        case TPMAlgorithmID.null: return nil
        case TPMAlgorithmID.rsaes: return Scheme(algorithm: algorithm, hash: nil)
        case TPMAlgorithmID.rsassa, TPMAlgorithmID.rsapss, TPMAlgorithmID.oaep, TPMAlgorithmID.ecdsa:
            return Scheme(algorithm: algorithm, hash: try TPMHashAlgorithm(&cursor, "parameters.scheme.hash"))
        case TPMAlgorithmID.ecdaa:
            let hash = try TPMHashAlgorithm(&cursor, "parameters.scheme.hash")
            _ = try cursor.bigEndianUInt16("parameters.scheme.count")
            return Scheme(algorithm: algorithm, hash: hash)
        default:
            throw cursor.malformed("parameters.scheme", "0x\(String(algorithm, radix: 16)) is not known")
        }
    }

    private static func rsaKey(_ cursor: inout ByteCursor) throws(MalformedBytes) -> Key {
        let bits = try cursor.bigEndianUInt16("parameters.keyBits")
        let exponent = try cursor.bigEndianUInt32("parameters.exponent")
        let modulus = try cursor.sized("unique")
        guard modulus.count * 8 == Int(bits) else {
            throw cursor.malformed("unique", "\(modulus.count) bytes for a key of \(bits) bits")
        }
        return .rsa(modulus: modulus, exponent: exponent == 0 ? 65_537 : exponent)
    }

    private static func eccKey(_ cursor: inout ByteCursor) throws(MalformedBytes) -> Key {
        let curve = try cursor.bigEndianUInt16("parameters.curveID")
        if try cursor.bigEndianUInt16("parameters.kdf") != TPMAlgorithmID.null {
            _ = try TPMHashAlgorithm(&cursor, "parameters.kdf.hash")
        }
        return .ecc(curve: curve, x: try cursor.sized("unique.x"), y: try cursor.sized("unique.y"))
    }
}

/// What a TPM allows with a key (TPM 2.0 Library part 2, TPMA_OBJECT).
public struct TPMObjectAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The key cannot leave this TPM.
    public static let fixedTPM = Self(rawValue: 1 << 1)
    /// The key cannot get another parent.
    public static let fixedParent = Self(rawValue: 1 << 4)
    /// The TPM made the key.
    public static let sensitiveDataOrigin = Self(rawValue: 1 << 5)
    public static let userWithAuth = Self(rawValue: 1 << 6)
    /// The key signs nothing that looks like a TPM's statement and is none.
    public static let restricted = Self(rawValue: 1 << 16)
    public static let decrypt = Self(rawValue: 1 << 17)
    public static let sign = Self(rawValue: 1 << 18)

    /// What a key must have so that its quotes mean something.
    public static let attestationKey: Self = [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign]
}
