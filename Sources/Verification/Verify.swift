// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import Evidence
internal import Provenance

/// Decides whether a bundle proves its artifacts. All checks are made, also after one has failed, so that the report
/// is whole.
///
/// | step | what is compared |
/// |---|---|
/// | 1 to 4 | the evidence with its format, its root of trust and the policy: ``Appraisal/appraise(_:policy:collateral:now:)`` |
/// | 5 | what the evidence signs with `provenance.json` and the nonce |
/// | 6 | the files with the provenance, and the events that were seen |
/// | 7 | the provenance with its form, with itself and with the policy |
///
/// - Parameter collateral: what the verifier has of the vendors' certificates and lists, whether it was fetched, given,
///   or decoded from ``BundleContents/collateral``.
public func verify(
    _ bundle: BundleContents, policy: VerificationPolicy, collateral: CollateralSet = CollateralSet()
) -> VerificationReport {
    let provenance = BundleProvenance(parsing: bundle.provenance)
    let time = JudgedTime(policy, provenance, collateral)
    let (appraisal, envelope) = appraiseEvidence(bundle.evidence, policy, collateral, now: time.seconds)
    var report = appraisal.recorder
    let hasDates = envelope?.platform != Platform.software.rawValue
    if hasDates { time.record(in: &report) }
    BindingCheck(
        provenance: provenance, bytes: bundle.provenance, binding: appraisal.claimedBinding, policy: policy
    ).record(in: &report)
    FileCheck(bundle, provenance).record(in: &report)
    if let seen = policy.seenEvents { EventsCheck(seen: seen, log: bundle.log).record(provenance, in: &report) }
    ProvenanceCheck(provenance: provenance, bundle: bundle).record(in: &report)
    recordInputProofs(policy.inputProofs, provenance.record, in: &report)
    ProvenancePolicyCheck(provenance: provenance, policy: policy).record(in: &report)
    PlatformAcceptance(envelope: envelope, policy: policy).record(in: &report)
    report.complete(steps: 1...7)
    let level = SLSABuildLevel(
        platform: envelope.flatMap { Platform(rawValue: $0.platform) },
        isImageKnown: SLSABuildLevel.isImageKnown(report.lines),
        isolation: provenance.record?.isolation,
        policy: policy.appraisal)
    return VerificationReport(
        report, bundle: bundle, platform: envelope?.platform, time: time,
        subjects: provenance.statement?.subjects ?? [], links: provenance.record?.links ?? [], level: level,
        claims: BundleClaims(
            appraisal.verdict, provenance, hasNonce: policy.nonce != nil, notOfNow: hasDates ? time.doesNotProve : []))
}

private func recordInputProofs(_ proofs: [InputProofFile], _ record: BuildRecord?, in report: inout ReportRecorder) {
    guard !proofs.isEmpty else { return }
    guard let record else { return InputProofCheck.giveUp(proofs, in: &report) }
    _ = InputProofCheck(root: record.inputMerkleRoot, treeSize: InputTree(record).leaves.count)
        .record(proofs, in: &report)
}

private func appraiseEvidence(
    _ bytes: [UInt8], _ policy: VerificationPolicy, _ collateral: CollateralSet, now: Int64?
) -> (result: AppraisalResult, envelope: EvidenceEnvelope?) {
    do {
        let envelope = try EvidenceEnvelope(parsing: bytes)
        return (appraise(envelope, policy: policy.appraisal, collateral: collateral, now: now), envelope)
    } catch {
        return (AppraisalResult(malformed: error), nil)
    }
}
