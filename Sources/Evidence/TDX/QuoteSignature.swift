// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// The signature data of a quote, decoded and not yet believed (Intel TDX DCAP Quoting Library API, ECDSA 256-bit
/// Quote Signature Data Structure).
///
/// Versions 4 and 5 wrap the part from `QE report` on into certification data of type 6; version 3 does not.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 64 | signature | r and s, big-endian, by the attestation key |
/// | 64 | 64 | attestation key | x and y of a P-256 point, big-endian |
/// | 128 | 2, 4 | certification data type, size | 6, all that follows; not in version 3 |
/// | then | 384 | QE report | ``EnclaveReport`` of the quoting enclave |
/// | then | 64 | QE report signature | r and s, by the PCK certificate's key |
/// | then | 2, n | QE authentication data | length and bytes |
/// | then | 2, 4, n | certification data | type, size and bytes; type 5: the PCK certificate chain |
public struct QuoteSignature: Hashable, Sendable {
    /// Certification data that holds the PCK certificate chain as PEM.
    public static let pckChainType: UInt16 = 5
    private static let qeReportType: UInt16 = 6

    /// 64 bytes.
    public let signature: [UInt8]
    /// 64 bytes.
    public let attestationKey: [UInt8]
    public let qeReport: EnclaveReport
    /// The 384 bytes that ``qeReportSignature`` covers, as they came.
    public let qeReportBytes: [UInt8]
    /// 64 bytes.
    public let qeReportSignature: [UInt8]
    public let qeAuthenticationData: [UInt8]
    /// Always of type 5.
    public let pckChain: [UInt8]

    init(decoding bytes: [UInt8], wrapped: Bool) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "quote signature")
        signature = try cursor.bytes(0, 64, "signature")
        attestationKey = try cursor.bytes(64, 64, "attestation key")
        if wrapped {
            let type = try cursor.uint16(128, "certification data type")
            guard type == Self.qeReportType else {
                throw cursor.malformed("certification data type", "\(type), expected 6")
            }
            let size = try cursor.uint32(130, "certification data size")
            guard size == UInt32(cursor.remaining) else {
                throw cursor.malformed("certification data size", "\(size), but \(cursor.remaining) bytes follow")
            }
        }
        qeReportBytes = try cursor.bytes(EnclaveReport.size, "QE report")
        qeReport = try EnclaveReport(decoding: qeReportBytes)
        qeReportSignature = try cursor.bytes(64, "QE report signature")
        qeAuthenticationData = try cursor.bytes(
            Int(try cursor.uint16("QE authentication data size")), "QE authentication data")
        let type = try cursor.uint16("certification data type")
        guard type == Self.pckChainType else {
            throw cursor.malformed("certification data type", "\(type), expected 5")
        }
        pckChain = try cursor.bytes(Int(try cursor.uint32("certification data size")), "certification data")
        try cursor.end()
    }

    func encoded(wrapped: Bool) -> [UInt8] {
        var certification = ByteWriter()
        certification.append(qeReport.encoded + qeReportSignature)
        certification.littleEndian(UInt16(truncatingIfNeeded: qeAuthenticationData.count))
        certification.append(qeAuthenticationData)
        certification.littleEndian(Self.pckChainType)
        certification.littleEndian(UInt32(truncatingIfNeeded: pckChain.count))
        certification.append(pckChain)
        var writer = ByteWriter()
        writer.append(signature + attestationKey)
        if wrapped {
            writer.littleEndian(Self.qeReportType)
            writer.littleEndian(UInt32(truncatingIfNeeded: certification.bytes.count))
        }
        writer.append(certification.bytes)
        return writer.bytes
    }
}
