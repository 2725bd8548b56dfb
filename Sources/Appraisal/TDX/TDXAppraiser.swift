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
}
