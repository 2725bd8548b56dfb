// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import Provenance

/// A bundle with its name and what is at hand to judge it by.
public struct NamedBundle: Hashable, Sendable {
    /// For reports: where it was read from.
    public var name: String
    public var contents: BundleContents
    public var collateral: CollateralSet

    public init(name: String, contents: BundleContents, collateral: CollateralSet = CollateralSet()) {
        self.name = name
        self.contents = contents
        self.collateral = collateral
    }
}

/// Decides whether bundles from different platforms prove the same artifacts (k of n).
///
/// Each bundle is verified on its own. Those that verify must have artifacts of the same digests, whatever their names,
/// or all are refused: one of the builders is broken, or the build cannot be reproduced. With a
/// ``VerificationPolicy/quorum``, at least as many different platforms must verify as it says; a bundle that does not
/// verify is not counted, and does no harm. Without one, all bundles must verify.
public func verify(_ bundles: [NamedBundle], policy: VerificationPolicy) -> JoinedReport {
    var single = policy
    single.quorum = nil
    let parts = bundles.map {
        JoinedReport.Part(name: $0.name, report: verify($0.contents, policy: single, collateral: $0.collateral))
    }
    var steps = ReportRecorder()
    let agreement = Agreement(parts: parts, quorum: policy.quorum)
    agreement.recordArtifacts(in: &steps)
    agreement.recordPlatforms(in: &steps)
    let verdict: VerificationReport.Verdict =
        !steps.findings.isEmpty ? .refused : steps.obstacles.isEmpty ? agreement.verdict : .notChecked
    return JoinedReport(parts: parts, lines: steps.lines, findings: steps.findings, verdict: verdict)
}

private struct Agreement {
    let parts: [JoinedReport.Part]
    let quorum: PlatformQuorum?

    private var verified: [JoinedReport.Part] { parts.filter { $0.report.verdict == .verified } }

    /// Without a quorum every bundle counts; with one, the lines have decided.
    var verdict: VerificationReport.Verdict {
        if quorum != nil { return .verified }
        if parts.isEmpty { return .notChecked }
        if parts.contains(where: { $0.report.verdict == .refused }) { return .refused }
        return parts.allSatisfy { $0.report.verdict == .verified } ? .verified : .notChecked
    }

    func recordArtifacts(in steps: inout ReportRecorder) {
        guard let first = verified.first else {
            return steps.giveUp(6, "artifacts", because: "no bundle verifies, so there is nothing to compare")
        }
        let wanted = Self.digests(first)
        let others = verified.dropFirst().filter { Self.digests($0) != wanted }
        steps.decide(
            6, "artifacts",
            others.map {
                Finding(
                    .joinSubjects, subject: $0.name, expected: "the artifacts of '\(first.name)': \(Self.shown(first))",
                    found: Self.shown($0),
                    remedy: "find out which builder is at fault, or why the build cannot be reproduced")
            },
            passed: verified.count == 1
                ? "one bundle verifies, so there is none to compare it with"
                : "the same in all \(verified.count) bundles that verify: \(Self.shown(first))")
    }

    func recordPlatforms(in steps: inout ReportRecorder) {
        let names = families(of: verified)
        let shown = names.isEmpty ? "none" : names.map(\.rawValue).sorted().joined(separator: ", ")
        guard let quorum else {
            return steps.leaveOut(7, "platforms", "the policy asks for no number; verified: \(shown)")
        }
        let of =
            quorum.platforms.isEmpty ? "" : " of \(quorum.platforms.map(\.rawValue).sorted().joined(separator: ", "))"
        let wanted = "at least \(quorum.atLeast) different platform(s)\(of)"
        if names.count >= quorum.atLeast { return steps.pass(7, "platforms", "\(wanted); verified: \(shown)") }
        let finding = Finding(
            .policyQuorum, subject: "bundles", expected: wanted, found: shown,
            remedy: "have it built on further platforms, and verify all bundles in one run")
        let unchecked = parts.filter { $0.report.verdict == .notChecked }
        if names.union(families(of: unchecked)).count >= quorum.atLeast {
            steps.obstruct(7, "platforms", finding)
        } else {
            steps.fail(7, "platforms", finding)
        }
    }

    private func families(of parts: [JoinedReport.Part]) -> Set<Platform> {
        let all = Set(parts.compactMap { $0.report.platform.flatMap(Platform.init)?.family })
        return quorum.map { $0.platforms.isEmpty ? all : all.intersection($0.platforms) } ?? all
    }

    private static func digests(_ part: JoinedReport.Part) -> Set<Digest256> {
        Set(part.report.subjects.map(\.sha256))
    }

    private static func shown(_ part: JoinedReport.Part) -> String {
        let subjects = part.report.subjects
        let rest = subjects.count > 1 ? " and \(subjects.count - 1) more" : ""
        return subjects.first.map { "SHA-256 \($0.sha256) ('\($0.name)')\(rest)" } ?? "none"
    }
}

extension Finding.Code {
    /// Bundles that verify hold different artifacts.
    public static let joinSubjects = Self(rawValue: "join.artifacts")
}
