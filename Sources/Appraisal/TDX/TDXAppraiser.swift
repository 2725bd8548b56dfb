// SPDX-License-Identifier: Apache-2.0
package import Evidence

/// Appraises TDX: the platforms `tdx` and `gcp-tdx`, and the quotes within Azure's evidence.
package struct TDXAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let now: Int64?

    package init(policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?) {
        self.policy = policy
        self.collateral = collateral
        self.now = now
    }

    package func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult { unsupported(envelope.platform) }

    /// Steps 2 and 4. Says whether it makes sense to go on: that there was collateral to check the quote with.
    func recordHardware(_ quote: IntelQuote, in steps: inout ReportRecorder) -> Bool {
        steps.giveUp(2, EvidenceStep.signature, because: "not appraised by this version")
        return false
    }
}
