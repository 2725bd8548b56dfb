// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Evidence

/// Answers of hardware, as far as they are read before they are handed out.
enum MadeReports {
    static let request: AttestationRequest = {
        do throws(AttesterError) {
            return try AttestationRequest(provenanceDigest: Digest256(of: [1]), nonce: [2, 3])
        } catch { preconditionFailure("\(error)") }
    }()

    /// An SEV-SNP report of version 2 over 64 bytes.
    static func snp(over reportData: [UInt8] = request.reportData.bytes, isVLEKSigned: Bool = false) -> [UInt8] {
        var report = [UInt8](repeating: 0, count: 1184)
        report[0] = 2
        report[0x0A] = 2  // POLICY, the bit that is always set
        report[0x34] = 1
        report[0x48] = isVLEKSigned ? 1 << 2 : 0  // SIGNING_KEY
        report.replaceSubrange(0x50..<0x90, with: reportData)
        report.replaceSubrange(0x90..<0xC0, with: [UInt8](repeating: 0xAA, count: 48))
        return report
    }

    /// MSG_REPORT_RSP around a report.
    static func response(_ report: [UInt8], status: UInt8 = 0, size: Int? = nil) -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(UInt32(status))
        writer.littleEndian(UInt32(size ?? report.count))
        writer.zeros(24)
        writer.append(report)
        writer.zeros(4000 - writer.bytes.count)
        return writer.bytes
    }

    static let vcek = "63da758de6644564adc5f4b93be8accd"
    static let vlek = "a8074bc2a25a483eaae639c045a0b8a1"
    static let ask = "4ab7b379bbac4fe4a02f05aef327c782"

    /// A table of certificates, by GUID.
    static func table(_ entries: [(guid: String, content: [UInt8])]) throws -> [UInt8] {
        var writer = ByteWriter()
        var offset = (entries.count + 1) * 24
        for entry in entries {
            writer.append(try Hex.decode(entry.guid))
            writer.littleEndian(UInt32(offset))
            writer.littleEndian(UInt32(entry.content.count))
            offset += entry.content.count
        }
        writer.zeros(24)
        for entry in entries { writer.append(entry.content) }
        return writer.bytes
    }
}
