// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// What a file of evidence is, recognised by its content; its name counts for nothing.
///
/// A format has a mark, which is enough to be taken for it: whoever then finds the rest malformed says so in that
/// format's words, and no second format is tried. Marks are looked for in the order of the cases, so that a file that
/// could be two things is the first of them. Formats without a mark of their own (the last four) are recognised by
/// being whole: nothing else is accepted for one.
///
/// | format | mark |
/// |---|---|
/// | ``envelope`` | a JSON object with `platform` or `evidence`, or one that does not parse |
/// | ``azureEvidence`` | a JSON object with `hcl_report`, `tpm_quote`, or the first form's `report` |
/// | ``hclReport`` | begins with "HCLA" |
/// | ``tpmAttest`` | begins with 0xFF544347, or is whole under another magic and says that it is a quote |
/// | ``intelQuote`` | Intel's QE vendor id at byte 12, or a version, key type and TEE type that are known |
/// | ``snpCertificateTable`` | begins with a GUID of the table |
/// | ``snpReport`` | 1,184 bytes that begin with a number from 1 to 255 in four bytes; of other lengths, where SIGNATURE_ALGO is 1 too |
/// | ``snpExtendedReport`` | the same, and the bytes after the 1,184th are a certificate table |
/// | ``eventLog`` | an EV_NO_ACTION event with "Spec ID Event" first; or whole in the older form, EV_S_CRTM_CONTENTS or _VERSION first |
/// | ``tpmSignature``, ``tpmPublic``, ``tpmSizedPublic`` | whole |
public enum EvidenceFormat: String, CaseIterable, Sendable {
    case envelope = "evidence.json"
    case azureEvidence = "Azure evidence"
    case hclReport = "HCL report"
    case tpmAttest = "TPMS_ATTEST"
    case intelQuote = "DCAP quote"
    case snpCertificateTable = "SNP certificate table"
    case snpExtendedReport = "SNP extended report"
    case snpReport = "SNP report"
    case eventLog = "TCG event log"
    case tpmSizedPublic = "TPM2B_PUBLIC"
    case tpmPublic = "TPMT_PUBLIC"
    case tpmSignature = "TPMT_SIGNATURE"

    /// `nil` for a file that is none of these.
    public init?(recognising bytes: [UInt8]) {
        let format =
            bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
            ? Self.json(bytes) : Self.allCases.first { $0.isRecognised(in: bytes) }
        guard let format else { return nil }
        self = format
    }

    private static func json(_ bytes: [UInt8]) -> EvidenceFormat? {
        guard let members = try? JSONValue(parsing: bytes).objectValue else { return .envelope }
        if members["platform"] != nil || members["evidence"] != nil { return .envelope }
        return ["hcl_report", "tpm_quote", "report"].contains { members[$0] != nil } ? .azureEvidence : nil
    }

    private func isRecognised(in bytes: [UInt8]) -> Bool {
        switch self {
        case .envelope, .azureEvidence: false
        case .hclReport: bytes.starts(with: Array("HCLA".utf8))
        case .tpmAttest: Self.isAttest(bytes)
        case .intelQuote: bytes.dropFirst(12).starts(with: Self.intelVendorID) || Self.beginsAsQuote(bytes)
        case .snpCertificateTable:
            bytes.count >= 24 && SNPCertificateTable.Kind(rawValue: Hex.encode(bytes[..<16])) != nil
        case .snpExtendedReport: Self.beginsAsSNPReport(bytes) && Self.hasTable(bytes)
        case .snpReport: Self.beginsAsSNPReport(bytes)
        case .eventLog: Self.isEventLog(bytes)
        case .tpmSizedPublic: (try? TPMPublic(decodingSized: bytes)) != nil
        case .tpmPublic: (try? TPMPublic(decoding: bytes)) != nil
        case .tpmSignature: (try? TPMSignature(decoding: bytes)) != nil
        }
    }

    private static let intelVendorID: [UInt8] = [
        0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07,
    ]

    private static func beginsAsQuote(_ bytes: [UInt8]) -> Bool {
        guard let version = bytes.first, (3...5).contains(version) else { return false }
        let rest = bytes.dropFirst()
        return rest.starts(with: [0, 2, 0, 0, 0, 0, 0]) || rest.starts(with: [0, 2, 0, 0x81, 0, 0, 0])
    }

    private static func isAttest(_ bytes: [UInt8]) -> Bool {
        if bytes.starts(with: [0xFF, 0x54, 0x43, 0x47]) { return true }
        return bytes.dropFirst(4).starts(with: [0x80, 0x18]) && (try? TPMAttest(decoding: bytes)) != nil
    }

    private static func beginsAsSNPReport(_ bytes: [UInt8]) -> Bool {
        guard let version = bytes.first, version > 0, bytes.count >= 4, bytes[1..<4].allSatisfy({ $0 == 0 }) else {
            return false
        }
        return bytes.count == SNPReport.size || bytes.dropFirst(0x34).starts(with: [1, 0, 0, 0])
    }

    private static func hasTable(_ bytes: [UInt8]) -> Bool {
        guard let table = try? SNPCertificateTable(decoding: Array(bytes.dropFirst(SNPReport.size))) else {
            return false
        }
        return !table.entries.isEmpty
    }

    private static func isEventLog(_ bytes: [UInt8]) -> Bool {
        if bytes.dropFirst(4).starts(with: [3, 0, 0, 0]), bytes.dropFirst(32).starts(with: Array("Spec ID Event".utf8))
        {
            return true
        }
        // EV_S_CRTM_CONTENTS or EV_S_CRTM_VERSION: what a machine measures first.
        guard [7, 8].contains(bytes.dropFirst(4).first), let log = try? TCGEventLog(decoding: bytes) else {
            return false
        }
        return log.events.allSatisfy { $0.register < 24 }
    }
}
