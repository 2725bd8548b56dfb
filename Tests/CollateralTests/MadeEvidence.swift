// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON

/// Evidence that decodes and that nobody signed.
enum MadeEvidence {
    /// - Parameters:
    ///   - cpuid: family and model; a report of version 2 where there are none.
    ///   - key: SIGNING_KEY.
    static func report(
        cpuid: (UInt8, UInt8)? = nil, chipID: [UInt8] = Made.chipID, key: UInt8 = 0
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SNPReport.size)
        bytes[0x000] = cpuid == nil ? 2 : 3
        bytes[0x00A] = 0x02
        bytes[0x034] = 1
        bytes[0x048] = key << 2
        bytes.replaceSubrange(0x180..<0x188, with: Made.tcb.bytes)
        if let cpuid { (bytes[0x188], bytes[0x189]) = cpuid }
        bytes.replaceSubrange(0x1A0..<0x1A0 + chipID.count, with: chipID)
        return bytes
    }

    static func snp(_ report: [UInt8], vcek: [UInt8]? = nil, platform: String = "snp") -> EvidenceEnvelope {
        var evidence: [String: JSONValue] = ["attestation_report": .string(Base64.encode(report))]
        if let vcek { evidence["cert_chain"] = ["vcek": .string(Base64.encode(vcek))] }
        return EvidenceEnvelope(platform: platform, evidence: .object(evidence))
    }

    static func tdx(platform: String = "tdx", authority: String = "Platform") -> EvidenceEnvelope {
        EvidenceEnvelope(
            platform: platform, evidence: ["quote": .string(Base64.encode(quote(authority: authority)))])
    }

    static let software = EvidenceEnvelope(platform: "software", evidence: [:])

    private static func quote(authority: String) -> [UInt8] {
        let chain = Made.pem([
            Made.certificate(
                "Intel SGX PCK Certificate", by: "Intel SGX PCK \(authority) CA", [intel(sgxExtension)])
        ])
        var certification = ByteWriter()
        certification.zeros(384 + 64)
        certification.littleEndian(UInt16(0))
        certification.littleEndian(UInt16(5))
        certification.littleEndian(UInt32(chain.count))
        certification.append(chain)
        var signature = ByteWriter()
        signature.zeros(128)
        signature.littleEndian(UInt16(6))
        signature.littleEndian(UInt32(certification.bytes.count))
        signature.append(certification.bytes)
        var quote = ByteWriter()
        quote.littleEndian(UInt16(4))
        quote.littleEndian(UInt16(2))
        quote.littleEndian(UInt32(0x81))
        quote.zeros(40 + 584)
        quote.littleEndian(UInt32(signature.bytes.count))
        quote.append(signature.bytes)
        return quote.bytes
    }

    private static var sgxExtension: [UInt8] {
        let versions =
            (1...16).map { entry([2, $0], DER.integer(1)) } + [
                entry([2, 17], DER.integer(1)), entry([2, 18], DER.tlv(0x04, [UInt8](repeating: 0, count: 16))),
            ]
        return DER.sequence([
            entry([1], DER.tlv(0x04, [UInt8](repeating: 0, count: 16))), entry([2], DER.sequence(versions)),
            entry([3], DER.tlv(0x04, [0, 0])), entry([4], DER.tlv(0x04, Made.fmspc)),
        ])
    }

    /// 1.2.840.113741.1.13.1
    private static let prefix: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01]

    private static func entry(_ path: [UInt8], _ value: [UInt8]) -> [UInt8] {
        DER.sequence([DER.tlv(0x06, prefix + path), value])
    }

    private static func intel(_ value: [UInt8]) -> [UInt8] {
        DER.sequence([DER.tlv(0x06, prefix), DER.tlv(0x04, value)])
    }
}
