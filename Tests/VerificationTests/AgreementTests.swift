// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

/// Bundles as outcomes, a policy, and what they come to together.
struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Verdict, platform and content of the artifact.
    let outcomes: [(VerificationReport.Verdict, Platform, UInt8)]
    let quorum: PlatformQuorum?
    let verdict: VerificationReport.Verdict
    let codes: [String]

    init(
        _ name: String, _ outcomes: [(VerificationReport.Verdict, Platform, UInt8)], _ quorum: PlatformQuorum?,
        _ verdict: VerificationReport.Verdict, _ codes: String...
    ) {
        self.name = name
        self.outcomes = outcomes
        self.quorum = quorum
        self.verdict = verdict
        self.codes = codes
    }

    var testDescription: String { name }

    private static let two = PlatformQuorum(atLeast: 2)
    private static let twoOf = PlatformQuorum(atLeast: 2, platforms: [.snp, .tdx])

    static let all = [
        Case("two platforms agree", [(.verified, .snp, 1), (.verified, .tdx, 1)], two, .verified),
        Case("two named platforms agree", [(.verified, .googleSNP, 1), (.verified, .tdx, 1)], twoOf, .verified),
        Case(
            "two platforms agree and one is refused",
            [(.verified, .snp, 1), (.refused, .vtpm, 2), (.verified, .tdx, 1)], two, .verified),
        Case("one platform twice", [(.verified, .snp, 1), (.verified, .snp, 1)], two, .refused, "policy.quorum"),
        Case(
            "one family twice", [(.verified, .snp, 1), (.verified, .googleSNP, 1)], two, .refused, "policy.quorum"),
        Case(
            "a platform that the policy does not name", [(.verified, .snp, 1), (.verified, .vtpm, 1)], twoOf, .refused,
            "policy.quorum"),
        Case("one of two is refused", [(.verified, .snp, 1), (.refused, .tdx, 1)], two, .refused, "policy.quorum"),
        Case("one of two could not be checked", [(.verified, .snp, 1), (.notChecked, .tdx, 1)], two, .notChecked),
        Case(
            "what could not be checked would not be enough", [(.verified, .snp, 1), (.notChecked, .snp, 1)], two,
            .refused, "policy.quorum"),
        Case("other artifacts", [(.verified, .snp, 1), (.verified, .tdx, 2)], two, .refused, "join.artifacts"),
        Case(
            "a third with other artifacts", [(.verified, .snp, 1), (.verified, .tdx, 1), (.verified, .vtpm, 2)], two,
            .refused, "join.artifacts"),
        Case(
            "other artifacts and too few", [(.verified, .snp, 1), (.verified, .snp, 2)], two, .refused,
            "join.artifacts", "policy.quorum"),
        Case("none", [], two, .refused, "policy.quorum"),
        Case("none and no number", [], nil, .notChecked),
        Case("one alone is enough", [(.verified, .snp, 1)], PlatformQuorum(atLeast: 1), .verified),
        Case("no number: all verify", [(.verified, .snp, 1), (.verified, .snp, 1)], nil, .verified),
        Case("no number: one is refused", [(.verified, .snp, 1), (.refused, .tdx, 1)], nil, .refused),
        Case("no number: one could not be checked", [(.verified, .snp, 1), (.notChecked, .tdx, 1)], nil, .notChecked),
        Case(
            "no number: other artifacts", [(.verified, .snp, 1), (.verified, .snp, 2)], nil, .refused, "join.artifacts"),
    ]
}

@Suite struct AgreementTests {
    @Test(arguments: Case.all)
    func bundlesComeToWhatTheyShould(row: Case) {
        let outcomes = row.outcomes.enumerated().map { index, outcome in
            Agreement.Outcome(
                name: "bundle \(index)", verdict: outcome.0, platform: outcome.1,
                subjects: [Subject(name: "probe", sha256: Digest256(of: [outcome.2]))])
        }
        let agreement = Agreement(of: outcomes, quorum: row.quorum)
        #expect(agreement.verdict == row.verdict)
        #expect(agreement.steps.findings.map(\.code.rawValue) == row.codes)
        #expect(agreement.steps.lines.map(\.step) == [6, 7])
        let isUndecided = row.quorum != nil && row.verdict == .notChecked
        #expect(agreement.steps.obstacles.map(\.code) == (isUndecided ? [.policyQuorum] : []))
    }

    @Test func theSameFilesUnderOtherNamesAreOtherArtifacts() {
        let outcomes = ["server", "client"].map { name in
            Agreement.Outcome(
                name: name, verdict: .verified, platform: .snp,
                subjects: [Subject(name: name, sha256: Digest256(of: [1]))])
        }
        #expect(Agreement(of: outcomes, quorum: nil).steps.findings.map(\.code) == [.joinSubjects])
    }

    @Test func oneBundleOfAPlatformThatDoesNotCountIsRefused() throws {
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        policy.quorum = PlatformQuorum(atLeast: 1, platforms: [.snp, .tdx])
        let bundle = NamedBundle(name: "a", contents: try MadeBundle().contents())
        #expect(verify(bundle, policy: policy).findings.map(\.code) == [.policyQuorum])
        policy.quorum = PlatformQuorum(atLeast: 1)
        #expect(verify(bundle, policy: policy).verdict == .verified)
    }

    @Test func bundlesAreVerifiedOnTheirOwnFirst() throws {
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        var broken = MadeBundle()
        broken.touched = { $0.add("more") }
        let bundles = [
            NamedBundle(name: "a", contents: try MadeBundle().contents()),
            NamedBundle(name: "b\u{1B}[2J", contents: try broken.contents()),
        ]
        let report = verify(bundles, policy: policy)
        #expect(report.exitCode == 1 && report.parts.map(\.report.exitCode) == [0, 1])
        let text = report.text(colour: false)
        #expect(text.hasPrefix("REFUSED together: 1 of 2 bundles verify\n") && !text.contains("\u{1B}"))
        #expect(text.contains("file.unnamed"))
        let json = try JSONValue(parsing: report.json.canonicalBytes)
        #expect(json["verdict"] == "refused" && json["bundles"]?.arrayValue?.count == 2)

        policy.quorum = PlatformQuorum(atLeast: 1)
        let enough = verify(bundles, policy: policy)
        #expect(enough.exitCode == 0 && enough.text(colour: false).contains("not proved:"))
        #expect(!enough.text(colour: false).contains("why:"))
        policy.quorum = PlatformQuorum(atLeast: 2)
        #expect(verify([bundles[0], bundles[0]], policy: policy).findings.map(\.code) == [.policyQuorum])
    }
}
