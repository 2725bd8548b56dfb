// SPDX-License-Identifier: Apache-2.0
public import Evidence

/// Decides whether evidence is convincing: steps 1 to 4 of verification.
///
/// - Parameters:
///   - envelope: `evidence.json`, parsed.
///   - collateral: what the verifier has of the vendors' certificates and lists.
///   - now: seconds since 1970 at which dates are judged; `nil` where no time is known, and then nothing that has
///     dates is accepted.
public func appraise(
    _ envelope: EvidenceEnvelope, policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?
) -> AppraisalResult {
    switch Platform(rawValue: envelope.platform) {
    case .software: SoftwareAppraiser(policy: policy).appraise(envelope)
    case .snp, .googleSNP:
        SNPAppraiser(policy: policy, collateral: collateral, now: now).appraise(envelope)
    case .tdx, .googleTDX:
        TDXAppraiser(policy: policy, collateral: collateral, now: now).appraise(envelope)
    case .azureSNP, .azureTDX:
        AzureAppraiser(policy: policy, collateral: collateral, now: now).appraise(envelope)
    case .vtpm: TPMAppraiser(policy: policy, collateral: collateral, now: now).appraise(envelope)
    case nil: unknown(envelope.platform)
    }
}

private func unknown(_ platform: String) -> AppraisalResult {
    let known = Platform.allCases.map(\.rawValue).sorted().joined(separator: ", ")
    return notAppraised(
        Finding(
            .unknownPlatform, subject: "platform", expected: "one of \(known)",
            found: "'\(platform)' is no platform that cupel knows",
            remedy: "check that evidence.json is of a build, or use a newer version of cupel"))
}

private func notAppraised(_ obstacle: Finding) -> AppraisalResult {
    var steps = ReportRecorder()
    steps.obstruct(1, EvidenceStep.format, obstacle)
    for (step, name) in EvidenceStep.afterFormat { steps.giveUp(step, name, because: "the evidence was not appraised") }
    return AppraisalResult(steps, evidence: nil)
}

/// The names of steps 1 to 4 in a report.
package enum EvidenceStep {
    static let format = "format"
    static let signature = "signature"
    package static let measurement = "measurement"
    static let platformPolicy = "platform"

    static let afterFormat = [(2, signature), (3, measurement), (4, platformPolicy)]
}
