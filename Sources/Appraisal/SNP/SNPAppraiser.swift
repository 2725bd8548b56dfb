// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import Evidence

/// Appraises SEV-SNP: the platforms `snp` and `gcp-snp`, and the reports within Azure's evidence.
package struct SNPAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let now: Int64?
    let authorities: AMDAuthorities
    let trusted: [SNPTrustedEndorsement]

    /// - Parameters:
    ///   - trusted: certificates that were checked before; see ``SNPTrustedEndorsement``.
    ///   - authorities: the roots to trust; tests have their own.
    package init(
        policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?,
        trusted: [SNPTrustedEndorsement] = [], authorities: AMDAuthorities = .amd
    ) {
        self.policy = policy
        self.collateral = collateral
        self.now = now
        self.trusted = trusted
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
        var statements = SNPStatements()
        if let hardware = recordedHardware(evidence, in: &steps) {
            let image = MeasurementCheck(
                platform: .snp, registers: [("MEASUREMENT", evidence.report.measurement)], needed: ["MEASUREMENT"],
                policy: policy
            ).record(in: &steps)
            statements = SNPStatements(evidence.report, hardware, image: image, policy: policy.snp)
        }
        let binding = SignedBinding(bytes: evidence.report.reportData)
        return AppraisalResult(
            steps,
            evidence: AppraisedEvidence(
                platform: platform, binding: binding, proves: statements.proves, doesNotProve: statements.doesNotProve))
    }

    /// Steps 2 and 4. Says whether it makes sense to go on: that a key was found to check the report with.
    func recordHardware(_ evidence: SNPEvidence, in steps: inout ReportRecorder) -> Bool {
        recordedHardware(evidence, in: &steps) != nil
    }

    private func recordedHardware(_ evidence: SNPEvidence, in steps: inout ReportRecorder) -> SNPHardware? {
        guard let now else { return giveUp(&steps, .withoutTime) }
        let search = SNPEndorsementSearch(
            evidence: evidence, certificates: collateral.amdCertificates, trusted: trusted)
        let outcome: SNPEndorsementSearch.Outcome
        do throws(MalformedBytes) {
            outcome = try search.outcome()
        } catch {
            steps.fail(2, EvidenceStep.signature, Self.malformed(error))
            return skip(&steps)
        }
        switch outcome {
        case .missing(let finding): return giveUp(&steps, finding)
        case .trusted(let known): return record(evidence, known.chain, [], at: now, in: &steps)
        case .found(let endorsement):
            guard let chain = SNPChainCheck(endorsement, authorities: authorities) else {
                steps.fail(2, EvidenceStep.signature, SNPChainCheck.noAuthority(endorsement))
                return skip(&steps)
            }
            return record(evidence, chain, chain.signatureFindings(), at: now, in: &steps)
        }
    }

    private func record(
        _ evidence: SNPEvidence, _ chain: SNPChainCheck, _ chainFindings: [Finding], at now: Int64,
        in steps: inout ReportRecorder
    ) -> SNPHardware {
        let report = evidence.report
        let revocation = SNPRevocationCheck(
            collateral.amdRevocationLists, chain: chain, authorities: authorities)
        let hardware = SNPHardware(
            endorsement: chain.endorsement, issuerName: chain.issuer.name,
            isRevocationChecked: revocation.isChecked(at: now))
        steps.decide(
            2, EvidenceStep.signature,
            SNPReportCheck(report: report, endorsement: chain.endorsement).findings() + chainFindings
                + chain.dateFindings(at: now) + chain.issuerFindings(evidence.issuers)
                + revocation.findings(at: now, isRequired: policy.snp.requireRevocationList),
            passed: hardware.signatureLine)
        steps.decide(
            4, EvidenceStep.platformPolicy,
            SNPPolicyCheck(report: report, endorsement: chain.endorsement, policy: policy.snp).findings(),
            passed: hardware.platformLine(report))
        return hardware
    }

    private func giveUp(_ steps: inout ReportRecorder, _ obstacle: Finding) -> SNPHardware? {
        steps.obstruct(2, EvidenceStep.signature, obstacle)
        return skip(&steps)
    }

    private func skip(_ steps: inout ReportRecorder) -> SNPHardware? {
        for (step, name) in EvidenceStep.afterFormat.dropFirst() {
            steps.giveUp(step, name, because: "the report's signature could not be checked")
        }
        return nil
    }

    private static func malformed(_ error: MalformedBytes) -> Finding {
        Finding(
            .malformedCertificate, subject: "cert_chain", expected: "a VCEK or VLEK certificate that parses completely",
            found: "\(error)", remedy: "fetch it again from AMD's key distribution service")
    }
}

/// Decides whether SEV-SNP evidence is convincing, as `appraise` does for every platform, for those who appraise many
/// reports of few machines.
///
/// - Parameter trusted: certificates that were checked before: evidence that carries one of them, byte for byte, or
///   none, is spared the check of AMD's signature on it.
public func appraise(
    _ envelope: EvidenceEnvelope, policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?,
    trusting trusted: [SNPTrustedEndorsement]
) -> AppraisalResult {
    switch Platform(rawValue: envelope.platform) {
    case .snp, .googleSNP:
        SNPAppraiser(policy: policy, collateral: collateral, now: now, trusted: trusted).appraise(envelope)
    default: appraise(envelope, policy: policy, collateral: collateral, now: now)
    }
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
}
