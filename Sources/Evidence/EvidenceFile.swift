// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// A file of evidence, recognised and decoded, not yet believed.
public enum EvidenceFile: Hashable, Sendable {
    case envelope(EvidenceEnvelope)
    /// The `evidence` of Azure's platforms, without an envelope around it.
    case azureEvidence(JSONValue)
    case hclReport(AzureHCLReport)
    case tpmAttest(TPMAttest)
    case intelQuote(IntelQuote, bytes: [UInt8])
    case snpCertificateTable(SNPCertificateTable)
    /// A report and the certificates that came with it: /dev/sev-guest's extended report, or configfs-tsm's `outblob`
    /// and `auxblob`, one after the other.
    case snpExtendedReport(SNPReport, SNPCertificateTable)
    case snpReport(SNPReport)
    case eventLog(TCGEventLog)
    case tpmPublic(TPMPublic)
    case tpmSignature(TPMSignature)

    /// - Parameter format: what ``EvidenceFormat/init(recognising:)`` took the bytes for.
    public init(decoding bytes: [UInt8], as format: EvidenceFormat) throws(MalformedBytes) {
        switch format {
        case .envelope: self = .envelope(try EvidenceEnvelope(parsing: bytes))
        case .azureEvidence: self = .azureEvidence(try JSONValue(parsing: bytes))
        case .hclReport: self = .hclReport(try AzureHCLReport(decoding: bytes))
        case .tpmAttest: self = .tpmAttest(try TPMAttest(decoding: bytes))
        case .intelQuote: self = .intelQuote(try IntelQuote(decoding: bytes), bytes: bytes)
        case .snpCertificateTable: self = .snpCertificateTable(try SNPCertificateTable(decoding: bytes))
        case .snpExtendedReport:
            self = .snpExtendedReport(
                try SNPReport(decoding: Array(bytes.prefix(SNPReport.size))),
                try SNPCertificateTable(decoding: Array(bytes.dropFirst(SNPReport.size))))
        case .snpReport: self = .snpReport(try Self.report(bytes))
        case .eventLog: self = .eventLog(try TCGEventLog(decoding: bytes))
        case .tpmPublic: self = .tpmPublic(try TPMPublic(decoding: bytes))
        case .tpmSizedPublic: self = .tpmPublic(try TPMPublic(decodingSized: bytes))
        case .tpmSignature: self = .tpmSignature(try TPMSignature(decoding: bytes))
        }
    }

    /// Nothing says what bytes after a report would be, so they are not cut off.
    private static func report(_ bytes: [UInt8]) throws(MalformedBytes) -> SNPReport {
        guard bytes.count <= SNPReport.size else {
            throw MalformedBytes(
                format: "SNP report", offset: SNPReport.size,
                reason:
                    "\(bytes.count - SNPReport.size) bytes after the 1184 of a report, which are no certificate table")
        }
        return try SNPReport(decoding: bytes)
    }
}

extension EvidenceFile {
    /// The evidence with its platform, as ``EvidenceEnvelope`` carries it; `nil` for a part that proves nothing alone.
    ///
    /// Nothing in a report or quote tells one cloud from another, so that bare ones are of `snp` and `tdx`; which of
    /// Azure's platforms it is, the HCL report's type says.
    public var envelope: EvidenceEnvelope? {
        get throws(MalformedBytes) {
            switch self {
            case .envelope(let envelope): envelope
            case .azureEvidence(let json):
                EvidenceEnvelope(
                    platform: try AzureEvidence(json).hclReport.reportType == .snp ? "az-snp" : "az-tdx",
                    evidence: json)
            case .intelQuote(_, let bytes):
                EvidenceEnvelope(platform: "tdx", evidence: ["quote": .string(Base64.encode(bytes))])
            case .snpReport(let report): Self.envelope(report, [:])
            case .snpExtendedReport(let report, let table): Self.envelope(report, Self.chain(table))
            case .hclReport, .tpmAttest, .snpCertificateTable, .eventLog, .tpmPublic, .tpmSignature: nil
            }
        }
    }

    private static func envelope(_ report: SNPReport, _ chain: [String: JSONValue]) -> EvidenceEnvelope {
        var evidence: [String: JSONValue] = ["attestation_report": .string(Base64.encode(report.encoded))]
        if !chain.isEmpty { evidence["cert_chain"] = .object(chain) }
        return EvidenceEnvelope(platform: "snp", evidence: .object(evidence))
    }

    /// Lists and entries of other kinds are left out: an envelope has no place for them.
    private static func chain(_ table: SNPCertificateTable) -> [String: JSONValue] {
        let kinds: [(String, SNPCertificateTable.Kind)] = [
            ("vcek", .vcek), ("vlek", .vlek), ("ask", .ask), ("ark", .ark),
        ]
        let present = kinds.compactMap { name, kind in
            table.content(kind).map { (name, JSONValue.string(Base64.encode($0))) }
        }
        return Dictionary(uniqueKeysWithValues: present)
    }
}
