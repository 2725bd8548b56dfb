// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
package import Evidence

/// Appraises the platforms `az-snp` and `az-tdx`.
///
/// What vouches for what, from the root down: AMD or Intel for the hardware's report; the report's REPORT_DATA for the
/// runtime data beside it, by its digest; the runtime data for the vTPM's attestation key, HCLAkPub; that key for the
/// quote; the quote for the caller's bytes (extraData) and for the registers' values. Runtime data and vTPM are the
/// paravisor's work, which the report measures.
package struct AzureAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let now: Int64?
    let authorities: AMDAuthorities
    let intelRoot: IntelRoot

    /// - Parameters:
    ///   - authorities: AMD's roots to trust; tests have their own.
    ///   - intelRoot: Intel's root to trust; tests have their own.
    package init(
        policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?,
        authorities: AMDAuthorities = .amd, intelRoot: IntelRoot = .intel
    ) {
        self.policy = policy
        self.collateral = collateral
        self.now = now
        self.authorities = authorities
        self.intelRoot = intelRoot
    }

    package func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult {
        do {
            let evidence = try AzureEvidence(envelope.evidence)
            return appraise(evidence, try AzureHardware(evidence), platform: envelope.platform)
        } catch {
            return AppraisalResult(malformed: error)
        }
    }

    private func appraise(_ evidence: AzureEvidence, _ hardware: AzureHardware, platform: String) -> AppraisalResult {
        var steps = ReportRecorder()
        steps.decide(
            1, EvidenceStep.format, hardware.formFindings(evidence, platform: platform),
            passed: "an HCL report of type \(hardware.name) and a TPM quote; the \(evidence.hclReport.padding.count) "
                + "bytes after the runtime data are not signed")
        let isHardwareKnown = record(hardware, evidence, in: &steps)
        steps.decide(
            2, "runtime data", AzureRuntimeCheck(evidence: evidence, hardware: hardware).findings(),
            passed:
                "REPORT_DATA is the \(evidence.hclReport.hashAlgorithm) of the runtime data, which names the vTPM's "
                + "attestation key")
        let check = quoteCheck(evidence)
        let findings = check.findings()
        steps.decide(
            2, "vTPM quote", findings,
            passed: "HCLAkPub signed a quote of \(TPMRegister.text(check.covered)), whose values are these")
        steps.decide(
            4, "paravisor",
            hardware.levelFindings + TPMRegisterCheck(covered: check.covered, policy: policy.tpm).findings(),
            passed: "\(hardware.level), and the registers that the policy requires are quoted")
        var image: KnownImage?
        if isHardwareKnown, findings.isEmpty {
            image = TPMMeasurementCheck(
                platform: hardware.platform, registers: hardware.registers + check.registers,
                needed: [hardware.measurementName], policy: policy
            ).record(in: &steps)
        } else if isHardwareKnown {
            steps.giveUp(3, EvidenceStep.measurement, because: "the quote does not cover the values")
        }
        let statements = AzureStatements(hardware: hardware, image: image)
        return AppraisalResult(
            steps,
            evidence: AppraisedEvidence(
                platform: platform, binding: SignedBinding(bytes: evidence.quote.extraData),
                proves: statements.proves, doesNotProve: statements.doesNotProve))
    }

    /// Steps 2 and 4 of the hardware.
    private func record(
        _ hardware: AzureHardware, _ evidence: AzureEvidence, in steps: inout ReportRecorder
    ) -> Bool {
        switch hardware {
        case .snp(let report):
            return SNPAppraiser(policy: policy, collateral: collateral, now: now, authorities: authorities)
                .recordHardware(
                    SNPEvidence(report: report, endorsementKey: evidence.endorsementKey), in: &steps)
        case .tdx:
            guard let quote = evidence.tdQuote else {
                steps.fail(2, EvidenceStep.signature, Self.noQuote)
                for (step, name) in EvidenceStep.afterFormat.dropFirst() {
                    steps.giveUp(step, name, because: "nothing signed the hardware's report")
                }
                return false
            }
            return TDXAppraiser(policy: policy, collateral: collateral, now: now, root: intelRoot)
                .recordHardware(quote, in: &steps)
        }
    }

    private func quoteCheck(_ evidence: AzureEvidence) -> TPMQuoteCheck {
        TPMQuoteCheck(
            quote: evidence.quote, signature: TPMSignature(hash: .sha256, value: .rsassa(evidence.quoteSignature)),
            publicKeyInfo: evidence.runtimeData.attestationKey?.subjectPublicKeyInfo, values: evidence.registers)
    }

    private static let noQuote = Finding(
        .azureNoQuote, subject: "td_quote", expected: "a quote, which Intel's quoting enclave signs",
        found: "none: a TDREPORT proves nothing but to the machine that made it",
        remedy: "have the guest fetch a quote for its TDREPORT, and send it along")
}

extension Finding.Code {
    /// A TDREPORT without the quote that would prove it.
    public static let azureNoQuote = Self(rawValue: "azure.td-quote.missing")
}
