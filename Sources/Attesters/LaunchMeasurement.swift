// SPDX-License-Identifier: Apache-2.0
public import Evidence
internal import StrictJSON

extension EvidenceEnvelope {
    /// What the hardware measured when this machine was launched, SHA-384: SEV-SNP's MEASUREMENT, TDX's MRTD. `nil`
    /// where the platform has no such thing.
    ///
    /// It is what a builder believes of itself. A verifier takes it from evidence that it has appraised.
    public var launchMeasurement: [UInt8]? {
        get throws(AttesterError) {
            do {
                switch platform {
                case "snp": return try SNPEvidence(evidence).report.measurement
                case "tdx": return Self.measurement(of: try TDXEvidence(evidence).quote)
                case "az-snp":
                    return try SNPReport(decoding: AzureEvidence(evidence).hclReport.hardwareReport).measurement
                case "az-tdx": return try AzureEvidence(evidence).tdQuote.flatMap(Self.measurement)
                default: return nil
                }
            } catch {
                throw AttesterError(.invalid, "the evidence of '\(platform)' cannot be read: \(error)")
            }
        }
    }

    private static func measurement(of quote: IntelQuote) -> [UInt8]? {
        if case .trustDomain(let report) = quote.body { report.mrTD } else { nil }
    }
}
