// SPDX-License-Identifier: Apache-2.0
package import Appraisal
import ByteCoding
package import Evidence

extension CollateralNeed {
    /// What the evidence needs or can use, what it cannot do without first. Evidence that does not decode needs
    /// nothing: appraisal refuses it.
    ///
    /// - Parameter set: what is at hand; a certificate in it tells the product of a report that does not say it.
    package static func all(of envelope: EvidenceEnvelope, having set: CollateralSet = CollateralSet())
        -> [CollateralNeed]
    {
        switch Platform(rawValue: envelope.platform) {
        case .snp, .googleSNP:
            guard let evidence = try? SNPEvidence(envelope.evidence) else { return [] }
            return amd(evidence.report, endorsement: evidence.endorsementKey, set)
        case .tdx, .googleTDX:
            return (try? TDXEvidence(envelope.evidence)).map { intel($0.quote) } ?? []
        case .azureSNP, .azureTDX:
            guard let evidence = try? AzureEvidence(envelope.evidence) else { return [] }
            if let quote = evidence.tdQuote { return intel(quote) }
            guard evidence.hclReport.reportType == .snp,
                let report = try? SNPReport(decoding: evidence.hclReport.hardwareReport)
            else { return [] }
            return amd(report, endorsement: evidence.endorsementKey, set)
        case .vtpm: return [.tpmAuthorities]
        case .software, nil: return []
        }
    }

    private static func intel(_ quote: IntelQuote) -> [CollateralNeed] {
        (try? IntelPlatform(of: quote)).map { [.intel($0)] } ?? []
    }

    private static func amd(
        _ report: SNPReport, endorsement bytes: [UInt8]?, _ set: CollateralSet
    ) -> [CollateralNeed] {
        let key = report.flags.signingKey
        var needs: [CollateralNeed] = []
        var endorsement = bytes.flatMap { try? Certificate($0) }.flatMap { try? SNPEndorsement($0) }
        if bytes == nil {
            switch key {
            case .vcek: needs += SNPChip(of: report).map { [.chipCertificate($0)] } ?? []
            case .vlek: needs.append(.providerCertificate(tcb: report.reportedTCB))
            case .none: return []
            }
            let found = needs.first?.parts(of: set).amdCertificates.first
            endorsement = found.flatMap { try? Certificate($0) }.flatMap { try? SNPEndorsement($0) }
        }
        guard let product = endorsement?.product ?? report.cpuid?.product else { return needs }
        return needs + [.amdRevocationList(product, key), .amdAuthorities(product, key)]
    }
}
