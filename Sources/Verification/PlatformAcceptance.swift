// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import Evidence

/// What the policy says of the platform as such: which are accepted, which keys of `software`, and whether one bundle
/// is enough.
struct PlatformAcceptance {
    /// `nil` where the evidence does not parse.
    let envelope: EvidenceEnvelope?
    let policy: VerificationPolicy

    private var family: Platform? { envelope.flatMap { Platform(rawValue: $0.platform)?.family } }

    func record(in report: inout ReportRecorder) {
        recordFamily(in: &report)
        recordSoftwareKey(in: &report)
        recordQuorum(in: &report)
    }

    private func recordFamily(in report: inout ReportRecorder) {
        guard !policy.platforms.isEmpty else { return }
        let wanted = oneOf(policy.platforms.map(\.rawValue).sorted())
        guard let envelope, let family else {
            return report.giveUp(4, "accepted", because: "the evidence names no platform that is known")
        }
        guard policy.platforms.contains(family) else {
            return report.fail(
                4, "accepted",
                Finding(
                    .policyPlatform, subject: "platform", expected: wanted, found: "'\(envelope.platform)'",
                    remedy: "have it built on a platform that the policy names, or add this one to it"))
        }
        report.pass(4, "accepted", "'\(envelope.platform)' is as the policy wants: \(wanted)")
    }

    private func recordSoftwareKey(in report: inout ReportRecorder) {
        guard !policy.softwareKeys.isEmpty, family == .software, let envelope,
            let evidence = try? SoftwareEvidence(envelope)
        else { return }
        let key = Hex.encode(evidence.publicKey)
        guard policy.softwareKeys.contains(evidence.publicKey) else {
            return report.fail(
                2, "key",
                Finding(
                    .policySoftwareKey, subject: "public_key",
                    expected: oneOf(policy.softwareKeys.map { Hex.encode($0) }.sorted()), found: key,
                    remedy: "do not trust the bundle: somebody else than the policy names signed it"))
        }
        report.pass(2, "key", "\(key) is one that the policy names")
    }

    private func recordQuorum(in report: inout ReportRecorder) {
        guard let quorum = policy.quorum else { return }
        let counts = quorum.platforms.isEmpty || family.map { quorum.platforms.contains($0) } == true
        guard quorum.atLeast > 1 || !counts else { return }
        let names = quorum.platforms.isEmpty ? "" : ": " + oneOf(quorum.platforms.map(\.rawValue).sorted())
        report.fail(
            7, "platforms",
            Finding(
                .policyQuorum, subject: "bundles",
                expected: "of \(quorum.atLeast) platform(s), as the policy wants\(names)",
                found: "one bundle, of '\(family?.rawValue ?? "an unknown platform")'",
                remedy: "verify all bundles in one run: cupel verify BUNDLE BUNDLE…"))
    }
}

extension Finding.Code {
    /// The platform is not one that the policy accepts.
    public static let policyPlatform = Self(rawValue: "policy.platform")
    /// `software` evidence is signed by a key that the policy does not name.
    public static let policySoftwareKey = Self(rawValue: "policy.software-key")
    /// Fewer platforms agree than the policy wants.
    public static let policyQuorum = Self(rawValue: "policy.quorum")
}
