// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto

/// A hash algorithm, by the TCG's number (TPM 2.0 Library part 2, TPM_ALG_ID).
public enum TPMHashAlgorithm: UInt16, CaseIterable, Sendable, CustomStringConvertible {
    case sha1 = 0x0004
    case sha256 = 0x000B
    case sha384 = 0x000C
    case sha512 = 0x000D

    /// Bytes of a digest.
    public var digestSize: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// As the TCG spells it: "SHA256".
    public var description: String {
        switch self {
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sha384: "SHA384"
        case .sha512: "SHA512"
        }
    }

    public func digest(of bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .sha1: Array(Insecure.SHA1.hash(data: bytes))
        case .sha256: Array(SHA256.hash(data: bytes))
        case .sha384: Array(SHA384.hash(data: bytes))
        case .sha512: Array(SHA512.hash(data: bytes))
        }
    }

    /// Throws at an algorithm that is none of these.
    init(_ cursor: inout ByteCursor, _ field: String) throws(MalformedBytes) {
        let number = try cursor.bigEndianUInt16(field)
        guard let algorithm = Self(rawValue: number) else {
            throw cursor.malformed(field, "hash algorithm 0x\(String(number, radix: 16)) is not known")
        }
        self = algorithm
    }
}

/// The TCG's numbers of algorithms that are no hashes (TPM 2.0 Library part 2, TPM_ALG_ID).
enum TPMAlgorithmID {
    static let rsa: UInt16 = 0x0001
    static let null: UInt16 = 0x0010
    static let rsassa: UInt16 = 0x0014
    static let rsaes: UInt16 = 0x0015
    static let rsapss: UInt16 = 0x0016
    static let oaep: UInt16 = 0x0017
    static let ecdsa: UInt16 = 0x0018
    static let ecdaa: UInt16 = 0x001A
    static let ecc: UInt16 = 0x0023
}

extension ByteCursor {
    /// A TPM2B: two bytes of length, big-endian, and that many bytes.
    mutating func sized(_ field: String) throws(MalformedBytes) -> [UInt8] {
        try bytes(Int(try bigEndianUInt16("\(field).size")), field)
    }
}

extension ByteWriter {
    /// A TPM2B.
    mutating func sized(_ content: [UInt8]) {
        bigEndian(UInt16(truncatingIfNeeded: content.count))
        append(content)
    }
}
