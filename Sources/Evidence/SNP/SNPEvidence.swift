// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Evidence of the platforms `snp` and `gcp-snp`, decoded and not yet believed.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `attestation_report` | base64, 1,184 bytes | ``SNPReport`` |
/// | `cert_chain.vcek` or `.vlek` | base64, DER | the certificate of the key that signed the report |
/// | `cert_chain.ask`, `.ark` | base64, DER, optional | its issuers; they must agree with the verifier's own |
public struct SNPEvidence: Hashable, Sendable {
    /// Certificates larger than this are refused, in bytes: AMD's have about 1,700.
    public static let maximumCertificateSize = 16_384

    public let report: SNPReport
    /// DER; `nil` where the evidence has none and the verifier must have it.
    public let endorsementKey: [UInt8]?
    /// DER, the signing key's issuer and the root, as far as they are there.
    public let issuers: [[UInt8]]

    public init(report: SNPReport, endorsementKey: [UInt8]?, issuers: [[UInt8]] = []) {
        self.report = report
        self.endorsementKey = endorsementKey
        self.issuers = issuers
    }

    /// Throws at unknown fields, a report that does not decode, and both a VCEK and a VLEK.
    public init(_ json: JSONValue) throws(MalformedBytes) {
        let fields = try EvidenceFields(json, format: "SNP evidence", known: ["attestation_report", "cert_chain"])
        report = try SNPReport(decoding: try fields.base64("attestation_report"))
        guard let json = fields["cert_chain"] else {
            endorsementKey = nil
            issuers = []
            return
        }
        let chain = try EvidenceFields(json, format: "SNP evidence", known: ["vcek", "vlek", "ask", "ark"])
        guard chain["vcek"] == nil || chain["vlek"] == nil else {
            throw chain.malformed("cert_chain", "both a VCEK and a VLEK")
        }
        endorsementKey = try chain.optionalBase64(chain["vlek"] == nil ? "vcek" : "vlek")
        issuers = [try chain.optionalBase64("ask"), try chain.optionalBase64("ark")].compactMap(\.self)
        for certificate in issuers + [endorsementKey ?? []] where certificate.count > Self.maximumCertificateSize {
            throw chain.malformed("cert_chain", "a certificate of \(certificate.count) bytes")
        }
    }
}
