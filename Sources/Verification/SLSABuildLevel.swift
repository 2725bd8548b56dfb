// SPDX-License-Identifier: Apache-2.0
package import Appraisal

/// The level of SLSA's build track (SLSA 1.2) that a verified bundle shows by itself, and never more.
///
/// | level | what must have been verified |
/// |---|---|
/// | 3 | confidential hardware measured an image that the verifier knows, debugging is off, and the provenance is of ours and states a build that was isolated |
/// | 2 | as 3, but of a TPM, which does not keep the machine's owner out, or of a builder or build whose isolation is not stated |
/// | 1 | all else: the provenance is there and unchanged, and nothing that the verifier knows stands behind it |
///
/// Level 3 asks that a build cannot forge its own provenance: that is what the known image does, and what nothing but
/// its measurement shows. `software` evidence is of level 1: it can be made on any workstation, which level 2 rules out.
public enum SLSABuildLevel: Int, CaseIterable, Sendable {
    case one = 1
    case two = 2
    case three = 3

    /// As a Verification Summary spells it.
    public var name: String { "SLSA_BUILD_LEVEL_\(rawValue)" }

    package init(platform: Platform?, isImageKnown: Bool, isolation: String?, policy: AppraisalPolicy) {
        guard isImageKnown, !Self.isWeakened(policy) else {
            self = .one
            return
        }
        switch platform {
        case .snp, .tdx, .googleSNP, .googleTDX, .azureSNP, .azureTDX:
            self = isolation != nil && isolation != "none" ? .three : .two
        case .vtpm: self = .two
        case .software, nil: self = .one
        }
    }

    /// Whether a report says that the launch measurement is that of a known image. An event log that agrees with the
    /// registers, which is of the same step, says nothing of the kind.
    package static func isImageKnown(_ lines: [ReportLine]) -> Bool {
        lines.contains { $0.name == EvidenceStep.measurement && $0.status == .passed }
    }

    /// Whether the policy lets a host into its guests. What else it lets pass is its own business.
    private static func isWeakened(_ policy: AppraisalPolicy) -> Bool {
        policy.snp.acceptDebugGuestsUnsafely || policy.snp.acceptMigrationAgents || policy.tdx.acceptDebugGuestsUnsafely
            || policy.tdx.acceptReservedAttributesUnsafely || policy.tdx.acceptAnyServiceTDUnsafely
            || policy.tpm.acceptUnboundAttestationKeyUnsafely || policy.tpm.acceptSHA1BankUnsafely
    }
}
