// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
package import Evidence

/// Appraises SEV-SNP: the platforms `snp` and `gcp-snp`, and the reports within Azure's evidence.
package struct SNPAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let now: Int64?
    let authorities: AMDAuthorities

    /// - Parameter authorities: the roots to trust; tests have their own.
    package init(
        policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?,
        authorities: AMDAuthorities = .amd
    ) {
        self.policy = policy
        self.collateral = collateral
        self.now = now
        self.authorities = authorities
    }

    package func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult {
        do {
            return appraise(try SNPEvidence(envelope.evidence), platform: envelope.platform)
        } catch {
            return AppraisalResult(malformed: error)
        }
    }

    package func appraise(_ evidence: SNPEvidence, platform: String) -> AppraisalResult {
        var steps = ReportRecorder()
        steps.pass(
            1, EvidenceStep.format,
            "an SEV-SNP report of version \(evidence.report.version), with no byte and no reserved bit too many")
        if recordHardware(evidence, in: &steps) {
            MeasurementCheck(
                platform: .snp, registers: [("MEASUREMENT", evidence.report.measurement)], needed: ["MEASUREMENT"],
                policy: policy
            ).record(in: &steps)
        }
        let binding = SignedBinding(bytes: evidence.report.reportData)
        return AppraisalResult(
            steps, evidence: AppraisedEvidence(platform: platform, binding: binding, proves: proves, doesNotProve: []))
    }

    /// Steps 2 and 4. Says whether it makes sense to go on: that a key was found to check the report with.
    func recordHardware(_ evidence: SNPEvidence, in steps: inout ReportRecorder) -> Bool {
        guard let now else { return giveUp(&steps, .withoutTime) }
        let endorsement: SNPEndorsement
        let lists: [RevocationList]
        do throws(MalformedBytes) {
            guard let found = try self.endorsement(for: evidence) else { return giveUp(&steps, Self.noCertificate) }
            endorsement = found
            lists = try collateral.amdRevocationLists.map { list throws(MalformedBytes) in try RevocationList(list) }
        } catch {
            steps.fail(2, EvidenceStep.signature, Self.malformed(error))
            return skip(&steps)
        }
        let chain = SNPChainCheck(
            endorsement: endorsement, issuers: evidence.issuers, authorities: authorities, revocationLists: lists,
            now: now)
        let report = evidence.report
        steps.decide(
            2, EvidenceStep.signature,
            SNPReportCheck(report: report, endorsement: endorsement).findings() + chain.findings(),
            passed: "signed by the \(endorsement.kind == .vlek ? "VLEK" : "VCEK") of a \(endorsement.product.rawValue) "
                + "\(endorsement.kind == .vlek ? "host" : "chip"), which \(chain.issuer?.name ?? "") signed; "
                + "chip and firmware are those of the certificate; \(Self.revocation(lists))")
        steps.decide(
            4, EvidenceStep.platformPolicy,
            SNPPolicyCheck(report: report, product: endorsement.product, policy: policy.snp).findings(),
            passed: "no debugging, no migration agent, VMPL \(report.vmpl), firmware "
                + SNPReportCheck.text(report.reportedTCB.parts(of: endorsement.product)))
        return true
    }

    /// The certificate in the evidence; else the one of the collateral whose key signed the report.
    private func endorsement(for evidence: SNPEvidence) throws(MalformedBytes) -> SNPEndorsement? {
        if let bytes = evidence.endorsementKey { return try SNPEndorsement(try Certificate(bytes)) }
        let candidates = collateral.amdCertificates.compactMap { bytes in
            (try? Certificate(bytes)).flatMap { try? SNPEndorsement($0) }
        }
        return candidates.first { SNPReportCheck(report: evidence.report, endorsement: $0).isSignatureValid }
    }

    private func giveUp(_ steps: inout ReportRecorder, _ obstacle: Finding) -> Bool {
        steps.obstruct(2, EvidenceStep.signature, obstacle)
        return skip(&steps)
    }

    private func skip(_ steps: inout ReportRecorder) -> Bool {
        for (step, name) in EvidenceStep.afterFormat.dropFirst() {
            steps.giveUp(step, name, because: "the report's signature could not be checked")
        }
        return false
    }

    private var proves: [String] {
        ["an AMD processor with SEV-SNP ran the measured image, and signed for what is bound here"]
    }

    private static func revocation(_ lists: [RevocationList]) -> String {
        lists.isEmpty ? "revocation was not checked: no list is at hand" : "not on \(lists.count) revocation list(s)"
    }

    private static func malformed(_ error: MalformedBytes) -> Finding {
        Finding(
            .malformedCertificate, subject: "certificates", expected: "certificates and lists that parse completely",
            found: "\(error)", remedy: "fetch them again from AMD's key distribution service")
    }

    private static let noCertificate = Finding(
        .snpNoCertificate, subject: "cert_chain", expected: "the VCEK or VLEK certificate of the key that signed",
        found: "none, in the evidence or beside it",
        remedy: "fetch it from AMD's key distribution service, and name it with --collateral")
}

extension Finding {
    /// Nothing that has dates is accepted where no time is known.
    static let withoutTime = Finding(
        .noTime, subject: "now", expected: "the time at which dates are judged", found: "none",
        remedy: "set the clock, or give a time with --at")
}

extension Finding.Code {
    /// No time is known at which dates could be judged.
    public static let noTime = Self(rawValue: "appraisal.no-time")
    /// A certificate or revocation list does not parse.
    public static let malformedCertificate = Self(rawValue: "certificate.malformed")
    /// There is no certificate to check the report with.
    public static let snpNoCertificate = Self(rawValue: "snp.certificate.missing")
}
