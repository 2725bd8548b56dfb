// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A quote of Intel's quoting enclaves, decoded and not yet believed (Intel TDX DCAP Quoting Library API, appendix A;
/// Intel SGX ECDSA Quoting Library, appendix A).
///
/// Integers are little-endian. The attestation key signs everything before `signature data length`.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 2 | version | 3 (SGX), 4 or 5 |
/// | 2 | 2 | attestation key type | 2: ECDSA P-256 |
/// | 4 | 4 | TEE type | 0x00 SGX, 0x81 TDX |
/// | 8 | 4 | reserved | version 3: QE SVN and PCE SVN |
/// | 12 | 16 | QE vendor id | Intel's is 939a7233f79c4ca9940a0db3957f0607 |
/// | 28 | 20 | user data | of the quoting enclave |
/// | 48 | 6 | body descriptor | version 5 only: type (1 SGX, 2 TD 1.0, 3 TD 1.5) and size |
/// | 48 or 54 | 384, 584, 648 | body | ``EnclaveReport`` or ``TDReport`` |
/// | then | 4 | signature data length | |
/// | then | as said | signature data | ``QuoteSignature`` |
/// | then | any | padding | not signed: platforms hand out their whole buffer |
public struct IntelQuote: Hashable, Sendable {
    /// A larger input is refused: the largest genuine one has 8,000 bytes.
    public static let maximumSize = 65_536

    public enum TEE: UInt32, Sendable {
        case sgx = 0x00
        case tdx = 0x81
    }

    public enum Body: Hashable, Sendable {
        case enclave(EnclaveReport)
        case trustDomain(TDReport)
    }

    public let version: UInt16
    public let attestationKeyType: UInt16
    public let tee: TEE
    /// 4 bytes.
    public let reserved: [UInt8]
    /// 16 bytes.
    public let qeVendorID: [UInt8]
    /// 20 bytes.
    public let userData: [UInt8]
    public let body: Body
    public let signature: QuoteSignature
    /// Everything that the attestation key signs, as it came.
    public let signedBytes: [UInt8]
    /// What follows the signature data, which nothing signs.
    public let padding: [UInt8]

    /// Throws at an unknown version, key type, TEE type or body, and at lengths that do not agree.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count <= Self.maximumSize else {
            throw MalformedBytes(
                format: Self.format, offset: Self.maximumSize, reason: "\(bytes.count) bytes, at most 65536")
        }
        var cursor = ByteCursor(bytes, format: Self.format)
        version = try cursor.uint16(0, "version")
        guard (3...5).contains(version) else { throw Self.malformed("version", 0, "\(version), expected 3, 4 or 5") }
        attestationKeyType = try cursor.uint16(2, "attestation key type")
        guard attestationKeyType == 2 else {
            throw Self.malformed("attestation key type", 2, "\(attestationKeyType), expected 2, ECDSA P-256")
        }
        let type = try cursor.uint32(4, "TEE type")
        guard let tee = TEE(rawValue: type), version > 3 || tee == .sgx else {
            throw Self.malformed("TEE type", 4, "\(type) in version \(version)")
        }
        self.tee = tee
        reserved = try cursor.bytes(8, 4, "reserved")
        qeVendorID = try cursor.bytes(12, 16, "QE vendor id")
        userData = try cursor.bytes(28, 20, "user data")
        body = try Self.body(&cursor, version: version, tee: tee)
        signedBytes = Array(bytes[..<cursor.offset])
        let length = try cursor.uint32("signature data length")
        signature = try QuoteSignature(
            decoding: try cursor.bytes(Int(length), "signature data"), wrapped: version > 3)
        padding = try cursor.bytes(cursor.remaining, "padding")
    }

    private static let format = "DCAP quote"

    private static func body(
        _ cursor: inout ByteCursor, version: UInt16, tee: TEE
    ) throws(MalformedBytes) -> Body {
        guard version == 5 else {
            let size = tee == .tdx ? TDReport.size10 : EnclaveReport.size
            return try body(try cursor.bytes(48, size, "body"), tee: tee)
        }
        let type = try cursor.uint16(48, "body type")
        let size = try cursor.uint32(50, "body size")
        let known: [UInt16: (TEE, Int)] = [
            1: (.sgx, EnclaveReport.size), 2: (.tdx, TDReport.size10), 3: (.tdx, TDReport.size15),
        ]
        guard let (kind, expected) = known[type], kind == tee, UInt32(expected) == size else {
            throw malformed("body type", 48, "type \(type) of \(size) bytes, TEE type \(tee.rawValue)")
        }
        return try body(try cursor.bytes(54, expected, "body"), tee: tee)
    }

    private static func body(_ bytes: [UInt8], tee: TEE) throws(MalformedBytes) -> Body {
        switch tee {
        case .sgx: .enclave(try EnclaveReport(decoding: bytes))
        case .tdx: .trustDomain(try TDReport(decoding: bytes))
        }
    }

    private static func malformed(_ field: String, _ offset: Int, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: offset, reason: reason)
    }
}

extension IntelQuote {
    /// The quote's bytes without padding, made of its fields.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(version)
        writer.littleEndian(attestationKeyType)
        writer.littleEndian(tee.rawValue)
        writer.append(reserved + qeVendorID + userData)
        let (type, content): (UInt16, [UInt8]) =
            switch body {
            case .enclave(let report): (1, report.encoded)
            case .trustDomain(let report): (report.extended == nil ? 2 : 3, report.encoded)
            }
        if version == 5 {
            writer.littleEndian(type)
            writer.littleEndian(UInt32(content.count))
        }
        writer.append(content)
        let signature = signature.encoded(wrapped: version > 3)
        writer.littleEndian(UInt32(signature.count))
        writer.append(signature)
        return writer.bytes
    }
}
