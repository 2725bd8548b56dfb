// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
package import Provenance

/// A bundle with its name and what is at hand to judge it by.
public struct NamedBundle: Hashable, Sendable {
    /// For reports: where it was read from.
    public var name: String
    public var contents: BundleContents
    public var collateral: CollateralSet
    /// Takes the end of this build for the time at which dates are judged, where the policy has no time but the
    /// clock's: all of ``collateral`` came with the bundle. See ``TimeSource/build``.
    public var isJudgedAsOfBuild: Bool

    public init(
        name: String, contents: BundleContents, collateral: CollateralSet = CollateralSet(),
        isJudgedAsOfBuild: Bool = false
    ) {
        self.name = name
        self.contents = contents
        self.collateral = collateral
        self.isJudgedAsOfBuild = isJudgedAsOfBuild
    }
}

/// Decides whether a bundle proves its artifacts, as ``verify(_:policy:collateral:)`` does.
public func verify(_ bundle: NamedBundle, policy: VerificationPolicy) -> VerificationReport {
    var policy = policy
    if bundle.isJudgedAsOfBuild, policy.timeSource == .clock { policy.timeSource = .build }
    return verify(bundle.contents, policy: policy, collateral: bundle.collateral)
}

/// Decides whether bundles from different platforms prove the same artifacts (k of n).
///
/// Each bundle is verified on its own. Those that verify must have artifacts of the same names and
/// digests, or all are refused: one of the builders is broken, or the build cannot be reproduced. With a
/// ``VerificationPolicy/quorum``, at least as many different platforms must verify as it says; a bundle that does not
/// verify is not counted, and does no harm. Without one, all bundles must verify.
public func verify(_ bundles: [NamedBundle], policy: VerificationPolicy) -> JoinedReport {
    var single = policy
    single.quorum = nil
    let parts = bundles.map { JoinedReport.Part(name: $0.name, report: verify($0, policy: single)) }
    let agreement = Agreement(of: parts.map { Agreement.Outcome($0) }, quorum: policy.quorum)
    return JoinedReport(
        parts: parts, lines: agreement.steps.lines, findings: agreement.steps.findings,
        obstacles: agreement.steps.obstacles, verdict: agreement.verdict)
}

/// What was compared between bundles, and what came out.
package struct Agreement {
    private let outcomes: [Outcome]
    private let quorum: PlatformQuorum?
    package private(set) var steps = ReportRecorder()

    /// One bundle, as far as the others are concerned.
    package struct Outcome {
        let name: String
        let verdict: VerificationReport.Verdict
        let family: Platform?
        let subjects: [Subject]
        let links: [ArtifactLink]

        package init(
            name: String, verdict: VerificationReport.Verdict, platform: Platform?, subjects: [Subject],
            links: [ArtifactLink] = []
        ) {
            self.name = name
            self.verdict = verdict
            family = platform?.family
            self.subjects = subjects
            self.links = links
        }

        init(_ part: JoinedReport.Part) {
            self.init(
                name: part.name, verdict: part.report.verdict,
                platform: part.report.platform.flatMap { Platform(rawValue: $0) }, subjects: part.report.subjects,
                links: part.report.links)
        }

        /// Names and digests: the same files under other names are other artifacts.
        var artifacts: Set<Subject> { Set(subjects) }

        func agrees(with other: Outcome) -> Bool {
            artifacts == other.artifacts && Set(links) == Set(other.links)
        }

        var shown: String {
            let others = subjects.count - 1 + links.count
            let rest = others > 0 ? " and \(others) more" : ""
            return subjects.first.map { "SHA-256 \($0.sha256) ('\($0.name)')\(rest)" } ?? "none"
        }
    }

    package init(of outcomes: [Outcome], quorum: PlatformQuorum?) {
        self.outcomes = outcomes
        self.quorum = quorum
        recordArtifacts()
        recordPlatforms()
    }

    package var verdict: VerificationReport.Verdict {
        if !steps.findings.isEmpty { return .refused }
        if !steps.obstacles.isEmpty || outcomes.isEmpty { return .notChecked }
        if quorum != nil { return .verified }
        if outcomes.contains(where: { $0.verdict == .refused }) { return .refused }
        return outcomes.allSatisfy { $0.verdict == .verified } ? .verified : .notChecked
    }

    private var verified: [Outcome] { outcomes.filter { $0.verdict == .verified } }

    private mutating func recordArtifacts() {
        guard let first = verified.first else {
            return steps.giveUp(6, "artifacts", because: "no bundle verifies, so there is nothing to compare")
        }
        let others = verified.dropFirst().filter { !$0.agrees(with: first) }
        steps.decide(
            6, "artifacts",
            others.map {
                Finding(
                    .joinSubjects, subject: $0.name, expected: "the artifacts of '\(first.name)': \(first.shown)",
                    found: $0.shown,
                    remedy: "find out which builder is at fault, or why the build cannot be reproduced")
            },
            passed: verified.count == 1
                ? "one bundle verifies, so there is none to compare it with"
                : "the same in all \(verified.count) bundles that verify: \(first.shown)")
    }

    private mutating func recordPlatforms() {
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
        let unchecked = outcomes.filter { $0.verdict == .notChecked }
        if names.union(families(of: unchecked)).count >= quorum.atLeast {
            steps.obstruct(7, "platforms", finding)
        } else {
            steps.fail(7, "platforms", finding)
        }
    }

    private func families(of outcomes: [Outcome]) -> Set<Platform> {
        let all = Set(outcomes.compactMap(\.family))
        guard let quorum, !quorum.platforms.isEmpty else { return all }
        return all.intersection(quorum.platforms)
    }
}

extension Finding.Code {
    /// Bundles that verify hold different artifacts.
    public static let joinSubjects = Self(rawValue: "join.artifacts")
}
