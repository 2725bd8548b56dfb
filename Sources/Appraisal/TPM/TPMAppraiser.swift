// SPDX-License-Identifier: Apache-2.0
package import Evidence

/// Appraises a plain TPM: the platform `vtpm`.
package struct TPMAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let now: Int64?

    package init(policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?) {
        self.policy = policy
        self.collateral = collateral
        self.now = now
    }

    package func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult { unsupported(envelope.platform) }
}
