// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
package import Evidence

/// Appraises TDX: the platforms `tdx` and `gcp-tdx`, and the quotes within Azure's evidence.
package struct TDXAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let verified: [VerifiedIntelCollateral]
    let now: Int64?
    let root: IntelRoot

    /// - Parameters:
    ///   - verified: collateral that was verified before, which saves doing it again for each quote; it goes before
    ///     `collateral.intel`.
    ///   - root: the key to trust; tests have their own.
    package init(
        policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), verified: [VerifiedIntelCollateral] = [],
        now: Int64?, root: IntelRoot = .intel
    ) {
        self.policy = policy
        self.collateral = collateral
        self.verified = verified
        self.now = now
        self.root = root
    }

    package func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult {
        do {
            return appraise(try TDXEvidence(envelope.evidence), platform: envelope.platform)
        } catch {
            return AppraisalResult(malformed: error)
        }
    }

    package func appraise(_ evidence: TDXEvidence, platform: String) -> AppraisalResult {
        var steps = ReportRecorder()
        guard case .trustDomain(let report) = evidence.quote.body else { return refuseEnclave() }
        steps.pass(
            1, EvidenceStep.format,
            "a TDX quote of version \(evidence.quote.version), TD report \(report.extended == nil ? "1.0" : "1.5")"
                + (evidence.eventLog == nil ? "" : ", and an event log"))
        var image: KnownImage?
        if recordHardware(evidence.quote, in: &steps) {
            if let log = evidence.eventLog {
                steps.decide(
                    3, "event log", TDXEventLogCheck(log: log, report: report).findings(),
                    passed: "its \(log.events.count) events give RTMR0 to RTMR3")
            }
            image = MeasurementCheck(
                platform: .tdx, registers: Self.registers(of: report), needed: ["MRTD"], policy: policy
            ).record(in: &steps)
        }
        return AppraisalResult(
            steps,
            evidence: AppraisedEvidence(
                platform: platform, binding: SignedBinding(bytes: report.reportData), proves: Self.proves,
                doesNotProve: Self.doesNotProve(image, platform: platform)))
    }

    /// The registers that a quote proves, by their manual's names.
    static func registers(of report: TDReport) -> [(name: String, value: [UInt8])] {
        [("MRTD", report.mrTD), ("MRCONFIGID", report.mrConfigID)]
            + report.rtmrs.enumerated().map { ("RTMR\($0)", $1) }
    }

    /// Steps 2 and 4. Says whether it makes sense to go on: that there was collateral to check the quote with.
    func recordHardware(_ quote: IntelQuote, in steps: inout ReportRecorder) -> Bool {
        guard let now else { return giveUp(&steps, .withoutTime) }
        guard case .trustDomain(let report) = quote.body else {
            steps.fail(2, EvidenceStep.signature, Self.enclave)
            return skip(&steps)
        }
        let appraisal: IntelQuoteAppraisal
        do throws(MalformedBytes) {
            appraisal = try IntelQuoteAppraisal(
                quote, collateral: collateral.intel, verified: verified, now: now, root: root)
        } catch {
            steps.fail(2, EvidenceStep.signature, .malformedIntelCertificate("PCK certificate chain", error))
            return skip(&steps)
        }
        if appraisal.findings.isEmpty, let obstacle = appraisal.obstacle { return giveUp(&steps, obstacle) }
        steps.decide(2, EvidenceStep.signature, appraisal.findings, passed: appraisal.description)
        guard let collateral = appraisal.collateral, let tcb = appraisal.tcb else { return skip(&steps) }
        let check = TDXPolicyCheck(quote: quote, report: report, policy: policy.tdx)
        steps.decide(
            4, EvidenceStep.platformPolicy, check.findings(tcb, collateral) + check.findings(),
            passed: "TCB \(tcb.status?.rawValue ?? ""), by TCB evaluation \(collateral.tcbInfo.evaluationDataNumber)"
                + (tcb.advisories.isEmpty ? "" : " (\(tcb.advisories.joined(separator: ", ")))")
                + "; TDATTRIBUTES 0x\(String(report.attributes.rawValue, radix: 16)) "
                + (report.attributes.isDisjoint(with: .underDebug) ? "without debugging" : "with debugging"))
        return true
    }

    private func refuseEnclave() -> AppraisalResult {
        var steps = ReportRecorder()
        steps.fail(1, EvidenceStep.format, Self.enclave)
        for (step, name) in EvidenceStep.afterFormat {
            steps.giveUp(step, name, because: "the quote is of no trust domain")
        }
        return AppraisalResult(steps, evidence: nil)
    }

    private func giveUp(_ steps: inout ReportRecorder, _ obstacle: Finding) -> Bool {
        steps.obstruct(2, EvidenceStep.signature, obstacle)
        return skip(&steps)
    }

    private func skip(_ steps: inout ReportRecorder) -> Bool {
        for (step, name) in EvidenceStep.afterFormat.dropFirst() {
            steps.giveUp(step, name, because: "the quote could not be checked against Intel's collateral")
        }
        return false
    }

    private static let proves = [
        "an Intel processor with TDX ran the measured trust domain, and signed for what is bound here"
    ]

    private static func doesNotProve(_ image: KnownImage?, platform: String) -> [String] {
        let cloud = [Platform.googleTDX.rawValue: "Google"][platform].map { name in
            "that the machine is \(name)'s: nothing in a quote says whose it is"
        }
        guard let image, !["RTMR1", "RTMR2"].allSatisfy({ image.registers[$0] != nil }) else {
            return [cloud].compactMap(\.self)
        }
        let named = image.registers.keys.sorted().joined(separator: ", ")
        let kernel =
            "which kernel and file system ran: \(image.name) \(image.version) names \(named), and what was loaded "
            + "later is in RTMR1 and RTMR2"
        return [kernel, cloud].compactMap(\.self)
    }

    private static let enclave = Finding(
        .tdxNoTrustDomain, subject: "TEE type", expected: "0x81, a trust domain", found: "0x0, an SGX enclave",
        remedy: "do not trust the evidence: an enclave is no machine that builds")
}

extension Finding.Code {
    /// The quote is of an SGX enclave.
    public static let tdxNoTrustDomain = Self(rawValue: "tdx.no-trust-domain")
}
