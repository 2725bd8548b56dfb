// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// The hardware's report within an HCL report, by report_type: the evidence's `platform` is signed by nobody.
enum AzureHardware {
    case snp(SNPReport)
    /// The quote is the report's proof; `nil` where it is missing.
    case tdx(TDXModuleReport, TDReport?)

    init(_ evidence: AzureEvidence) throws(MalformedBytes) {
        let bytes = evidence.hclReport.hardwareReport
        switch evidence.hclReport.reportType {
        case .snp: self = .snp(try SNPReport(decoding: bytes))
        case .tdx:
            let report = try TDXModuleReport(decoding: bytes)
            switch evidence.tdQuote?.body {
            case .trustDomain(let body): self = .tdx(report, body)
            case nil: self = .tdx(report, nil)
            case .enclave:
                throw MalformedBytes(
                    format: "Azure evidence", field: "td_quote", offset: 0, reason: "a quote of an SGX enclave")
            }
        }
    }

    var platform: Platform {
        switch self {
        case .snp: .azureSNP
        case .tdx: .azureTDX
        }
    }

    var name: String {
        switch self {
        case .snp: "SNP"
        case .tdx: "TDX"
        }
    }

    /// The register that says which paravisor was launched.
    var measurementName: String {
        switch self {
        case .snp: "MEASUREMENT"
        case .tdx: "MRTD"
        }
    }

    /// What the hardware measured, by the manual's names; nothing of a TDREPORT without its quote.
    var registers: [(name: String, value: [UInt8])] {
        switch self {
        case .snp(let report): return [("MEASUREMENT", report.measurement)]
        case .tdx(_, let quoted):
            guard let quoted else { return [] }
            return TDXAppraiser.registers(of: quoted)
        }
    }

    /// What the hardware signed for the paravisor, 64 bytes.
    var reportData: [UInt8] {
        switch self {
        case .snp(let report): report.reportData
        case .tdx(let report, let quoted): quoted?.reportData ?? report.reportData
        }
    }

    /// Whether the evidence says of itself what its report is.
    func formFindings(_ evidence: AzureEvidence, platform: String) -> [Finding] {
        var findings: [Finding] = []
        if platform != self.platform.rawValue {
            findings.append(
                Finding(
                    .azurePlatform, subject: "platform",
                    expected: "'\(self.platform.rawValue)', as the HCL report's report_type says",
                    found: "'\(platform)'", remedy: "do not trust the evidence: it was relabelled"))
        }
        let stray =
            switch self {
            case .snp: evidence.tdQuote == nil ? nil : "td_quote"
            case .tdx: evidence.endorsementKey == nil ? nil : "vcek"
            }
        if let stray {
            findings.append(
                Finding(
                    .azureStray, subject: stray, expected: "none: the HCL report is of type \(name)",
                    found: "one, of other hardware", remedy: "leave it out, or find out which report it belongs to"))
        }
        return findings
    }

    /// The paravisor asks for its report at the level that nothing in the guest is above.
    var levelFindings: [Finding] {
        guard case .snp(let report) = self, report.vmpl != 0 else { return [] }
        return [
            Finding(
                .azureVMPL, subject: "VMPL", expected: "0: the paravisor's", found: "\(report.vmpl)",
                remedy: "do not trust the evidence: something beneath the paravisor asked for the report")
        ]
    }

    var level: String {
        switch self {
        case .snp: "the report was asked for at VMPL 0, where the paravisor runs"
        case .tdx: "the paravisor is the TD that MRTD measures"
        }
    }
}

extension Finding.Code {
    /// The evidence is labelled as of another platform than its report.
    public static let azurePlatform = Self(rawValue: "azure.platform")
    /// A certificate or quote stands there that the report has no use for.
    public static let azureStray = Self(rawValue: "azure.stray")
    /// The report was not asked for by the paravisor.
    public static let azureVMPL = Self(rawValue: "azure.vmpl")
}
