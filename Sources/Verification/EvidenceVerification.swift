// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import ByteCoding
public import Evidence

/// What a caller had bare evidence signed for. Nothing is compared where both are `nil`, and the report says so.
public struct ExpectedBinding: Hashable, Sendable {
    /// All bytes that the platform signs for its caller: 64 of SEV-SNP and TDX, as many as the caller gave of a TPM.
    /// They must be equal, zeros included.
    public var reportData: [UInt8]?
    /// Must be all that was signed, up to zeros that fill a field of 64 bytes; or follow a digest of 32 bytes, as in
    /// evidence of a build.
    public var nonce: [UInt8]?

    public init(reportData: [UInt8]? = nil, nonce: [UInt8]? = nil) {
        self.reportData = reportData
        self.nonce = nonce
    }
}

/// Decides whether evidence without a bundle is convincing: steps 1 to 5 of ``verify(_:policy:collateral:)``. Steps 6
/// and 7 concern artifacts and provenance, of which there are none.
///
/// A policy that asks something of the provenance is not met by evidence alone, and then nothing is verified.
/// - Parameter policy: its ``VerificationPolicy/nonce`` is not used; `expecting` has it.
public func verify(
    _ envelope: EvidenceEnvelope, expecting: ExpectedBinding, policy: VerificationPolicy,
    collateral: CollateralSet = CollateralSet()
) -> EvidenceReport {
    let time = JudgedTime(policy, withoutProvenance)
    let appraisal = appraise(envelope, policy: policy.appraisal, collateral: collateral, now: time.seconds)
    var report = appraisal.recorder
    if envelope.platform != Platform.software.rawValue { time.record(in: &report) }
    ExpectedBindingCheck(expecting, appraisal.claimedBinding, platform: envelope.platform, policy: policy)
        .record(in: &report)
    recordAbsent(policy, in: &report)
    PlatformAcceptance(envelope: envelope, policy: policy).record(in: &report)
    report.complete(steps: 1...7)
    var (proves, doesNotProve): ([String], [String]) = ([], [])
    if case .accepted(let evidence) = appraisal.verdict {
        (proves, doesNotProve) = (evidence.proves, evidence.doesNotProve + time.doesNotProve)
    }
    if expecting == ExpectedBinding() { doesNotProve.append("what it was signed for, and when: nothing was compared") }
    return EvidenceReport(
        report, platform: envelope.platform, signed: appraisal.claimedBinding?.bytes, time: time, proves: proves,
        doesNotProve: doesNotProve)
}

/// The report on a file that was recognised as evidence and is malformed: refused in step 1.
public func refuse(malformed error: MalformedBytes, policy: VerificationPolicy) -> EvidenceReport {
    var report = AppraisalResult(malformed: error).recorder
    for (step, name) in [(5, "binding"), (6, "artifacts"), (7, "provenance")] {
        report.giveUp(step, name, because: "the evidence does not parse")
    }
    return EvidenceReport(
        report, platform: nil, signed: nil, time: JudgedTime(policy, withoutProvenance), proves: [], doesNotProve: [])
}

/// What stands for the provenance where there is none: no build whose end could be the time at which dates are judged.
private let withoutProvenance = BundleProvenance.malformed(
    MalformedBytes(format: "provenance.json", offset: 0, reason: "bare evidence has none"))

private func recordAbsent(_ policy: VerificationPolicy, in report: inout ReportRecorder) {
    report.leaveOut(6, "artifacts", "not checked: bare evidence names no artifact")
    guard policy.provenance == ProvenancePolicy() else {
        return report.obstruct(
            7, "provenance",
            Finding(
                .noProvenance, subject: "provenance", expected: "what the policy asks of the build",
                found: "bare evidence, which has no provenance",
                remedy: "verify the bundle that it is of, or use a policy that asks nothing of the build"))
    }
    report.leaveOut(7, "provenance", "not checked: bare evidence has none")
}

/// Step 5 for bare evidence.
private struct ExpectedBindingCheck {
    let expecting: ExpectedBinding
    let binding: SignedBinding?
    let platform: Platform?
    let policy: VerificationPolicy

    init(
        _ expecting: ExpectedBinding, _ binding: SignedBinding?, platform: String, policy: VerificationPolicy
    ) {
        self.expecting = expecting
        self.binding = binding
        self.platform = Platform(rawValue: platform)
        self.policy = policy
    }

    func record(in report: inout ReportRecorder) {
        guard let binding else {
            return report.giveUp(5, "binding", because: "what the evidence signs could not be read")
        }
        recordReportData(binding, in: &report)
        recordNonce(binding, in: &report)
    }

    private func recordReportData(_ binding: SignedBinding, in report: inout ReportRecorder) {
        guard let wanted = expecting.reportData else {
            return report.leaveOut(
                5, "binding",
                "not compared with anything (--report-data): the evidence signs \(Self.shown(binding.bytes))")
        }
        if wanted == binding.bytes {
            return report.pass(5, "binding", "the evidence signs what was asked for, \(Self.shown(wanted))")
        }
        report.fail(
            5, "binding",
            Finding(
                .otherReportData, subject: "report_data", expected: Self.shown(wanted),
                found: Self.shown(binding.bytes),
                remedy: wanted.count == binding.bytes.count
                    ? "do not trust it for this: it was made for something else"
                    : "give all \(binding.bytes.count) bytes that the platform signs, zeros included"))
    }

    private func recordNonce(_ binding: SignedBinding, in report: inout ReportRecorder) {
        guard let nonce = expecting.nonce else {
            guard policy.requiresNonce else {
                return report.leaveOut(
                    5, "freshness", "not checked: no nonce was asked for, so the evidence can be of any age (--nonce)")
            }
            return report.fail(
                5, "freshness",
                Finding(
                    .policyNonce, subject: "nonce", expected: "a nonce of your own, as the policy wants",
                    found: "none was asked for", remedy: "name it with --nonce"))
        }
        if isAll(nonce, of: binding) {
            return report.pass(5, "freshness", "the nonce asked for, \(Hex.encode(nonce)), is what the evidence signs")
        }
        if binding.bytes.count > 32, binding.carries(nonce: nonce) {
            return report.pass(
                5, "freshness",
                "the nonce asked for, \(Hex.encode(nonce)), follows the digest \(Hex.encode(binding.digest))")
        }
        report.fail(
            5, "freshness",
            Finding(
                .notFresh, subject: "nonce", expected: "the nonce asked for, \(Hex.encode(nonce))",
                found: Self.shown(binding.bytes),
                remedy: "ask for evidence of your own: this was made for another request"))
    }

    /// A TPM signs exactly what it is given; of other platforms' 64 bytes, zeros fill what a nonce leaves.
    private func isAll(_ nonce: [UInt8], of binding: SignedBinding) -> Bool {
        switch platform {
        case .azureSNP, .azureTDX, .vtpm: binding.bytes == nonce
        default: binding.bytes.starts(with: nonce) && binding.bytes.dropFirst(nonce.count).allSatisfy { $0 == 0 }
        }
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "nothing" : "\(Hex.encode(bytes)) (\(bytes.count) bytes)"
    }
}

extension Finding.Code {
    /// Bare evidence signs something else than what was asked for.
    public static let otherReportData = Self(rawValue: "binding.report-data")
    /// The policy asks something of the provenance, and bare evidence has none.
    public static let noProvenance = Self(rawValue: "policy.no-provenance")
}
