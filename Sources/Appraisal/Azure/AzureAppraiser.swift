// SPDX-License-Identifier: Apache-2.0
package import Evidence

/// Appraises the platforms `az-snp` and `az-tdx`.
package struct AzureAppraiser {
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
