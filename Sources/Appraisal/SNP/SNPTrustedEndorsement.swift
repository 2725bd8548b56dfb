// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The certificate of a key that signs reports, of which everything was checked that does not change: what it says of
/// itself, and that AMD signed it. Kept, it spares those who appraise many reports of a machine the work for all but
/// the first. Dates, revocation, and whether a report is of this chip and firmware, are judged each time.
public struct SNPTrustedEndorsement: Sendable {
    package let endorsement: SNPEndorsement
    let chain: SNPChainCheck

    /// Reads a VCEK or VLEK certificate, DER or PEM. Throws where it does not parse, or AMD did not sign it.
    public init(certificate: [UInt8]) throws(MalformedBytes) { try self.init(certificate, authorities: .amd) }

    package init(_ bytes: [UInt8], authorities: AMDAuthorities) throws(MalformedBytes) {
        let endorsement = try SNPEndorsement(try Certificate(bytes))
        let chain = SNPChainCheck(endorsement, authorities: authorities)
        let findings = chain?.signatureFindings() ?? [SNPChainCheck.noAuthority(endorsement)]
        guard let chain, findings.isEmpty else {
            throw MalformedBytes(
                format: "SNP endorsement certificate", field: findings.first?.subject ?? "issuer", offset: 0,
                reason: findings.first?.found ?? "not signed by AMD")
        }
        self.endorsement = endorsement
        self.chain = chain
    }
}
