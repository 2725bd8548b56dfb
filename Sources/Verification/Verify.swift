// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import Evidence
internal import Provenance

/// Decides whether a bundle proves its artifacts. All checks are made, also after one has failed, so that the report
/// is whole.
///
/// | step | what is compared |
/// |---|---|
/// | 1 to 4 | the evidence with its format, its root of trust and the policy: ``Appraisal/appraise(_:policy:now:)`` |
/// | 5 | what the evidence signs with `provenance.json` and the nonce |
/// | 6 | the files with the provenance |
/// | 7 | the provenance with its form and with itself |
public func verify(_ bundle: BundleContents, policy: VerificationPolicy) -> VerificationReport {
    let (appraisal, platform) = appraiseEvidence(bundle.evidence, policy)
    let provenance = BundleProvenance(parsing: bundle.provenance)
    var report = appraisal.recorder
    BindingCheck(
        provenance: provenance, bytes: bundle.provenance, binding: appraisal.claimedBinding, nonce: policy.nonce
    ).record(in: &report)
    FileCheck(bundle, provenance).record(in: &report)
    ProvenanceCheck(provenance: provenance, bundle: bundle).record(in: &report)
    report.complete(steps: 1...7)
    return VerificationReport(
        report, platform: platform, provenanceDigest: Digest256(of: bundle.provenance),
        subjects: provenance.statement?.subjects ?? [],
        claims: BundleClaims(appraisal.verdict, provenance, hasNonce: policy.nonce != nil))
}

private func appraiseEvidence(
    _ bytes: [UInt8], _ policy: VerificationPolicy
) -> (result: AppraisalResult, platform: String?) {
    do {
        let envelope = try EvidenceEnvelope(parsing: bytes)
        return (appraise(envelope, policy: policy.appraisal, now: policy.now), envelope.platform)
    } catch {
        return (AppraisalResult(malformed: error), nil)
    }
}
