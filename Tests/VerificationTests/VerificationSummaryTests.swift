// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

@Suite struct VerificationSummaryTests {
    private static let summary = VerificationSummary(
        verifierID: "https://example.com/verifier", verifierVersion: "0.2.0", timeVerified: "2026-06-01T00:00:00Z",
        options: ["--allow-software"])

    private static func policy(acceptSoftware: Bool = true) -> VerificationPolicy {
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = acceptSoftware
        policy.file = PolicyFileName(name: "/home/me/policy 1.yaml", sha256: Digest256(of: [1]))
        return policy
    }

    @Test func aPassIsSummedUp() throws {
        let contents = try MadeBundle().contents()
        let report = verify(contents, policy: Self.policy())
        let statement = try #require(Self.summary.statement(of: report, policy: Self.policy()))
        #expect(statement.predicateType == "https://slsa.dev/verification_summary/v1")
        #expect(statement.subjects == report.subjects)
        #expect(try Statement(parsing: statement.canonicalBytes) == statement)
        let provenance = Digest256(of: contents.provenance)
        #expect(
            statement.predicate == [
                "verifier": ["id": "https://example.com/verifier", "version": ["cupel": "0.2.0"]],
                "timeVerified": "2026-06-01T00:00:00Z",
                "resourceUri": .string("pkg:generic/bundle?checksum=sha256:\(provenance)"),
                "policy": [
                    "uri": "policy%201.yaml", "digest": ["sha256": .string(Digest256(of: [1]).hex)],
                    "annotations": ["options": ["--allow-software"]],
                ],
                "inputAttestations": [
                    ["uri": "provenance.json", "digest": ["sha256": .string(provenance.hex)]],
                    [
                        "uri": "evidence.json",
                        "digest": ["sha256": .string(Digest256(of: contents.evidence).hex)],
                    ],
                ],
                "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_1"], "slsaVersion": "1.2",
            ])
    }

    @Test func aRefusalIsSummedUpAsOne() throws {
        let policy = Self.policy(acceptSoftware: false)
        let report = try MadeBundle().verify(policy: policy)
        let predicate = try #require(Self.summary.statement(of: report, policy: policy)).predicate
        #expect(predicate["verificationResult"] == "FAILED" && predicate["verifiedLevels"] == ["FAILED"])
    }

    @Test func whatCouldNotBeCheckedIsNotSummedUp() throws {
        var bundle = MadeBundle()
        bundle.touched = { $0.evidence = Array("{\"evidence\":{},\"platform\":\"sgx\"}".utf8) }
        let report = try bundle.verify(policy: Self.policy())
        #expect(report.exitCode == 2 && Self.summary.statement(of: report, policy: Self.policy()) == nil)
        bundle = MadeBundle()
        bundle.statement = { _ in "{}" }
        let nameless = try bundle.verify(policy: Self.policy())
        #expect(nameless.exitCode == 1 && Self.summary.statement(of: nameless, policy: Self.policy()) == nil)
    }

    @Test func oneArtifactIsNamedByItsOwnDigest() throws {
        var bundle = MadeBundle()
        bundle.artifacts = ["bin/a b": [1]]
        let policy = Self.policy()
        var summary = Self.summary
        let report = try bundle.verify(policy: policy)
        #expect(
            summary.statement(of: report, policy: policy)?.predicate["resourceUri"]
                == .string("pkg:generic/bin%2Fa%20b?checksum=sha256:\(Digest256(of: [1]))"))
        summary.resourceURI = "https://example.com/a"
        #expect(
            summary.statement(of: report, policy: policy)?.predicate["resourceUri"] == "https://example.com/a")
    }

    @Test func withoutAFileThePolicyIsTheCommandLine() throws {
        var policy = Self.policy()
        policy.file = nil
        var summary = Self.summary
        summary.options = []
        let report = try MadeBundle().verify(policy: policy)
        let statement = try #require(summary.statement(of: report, policy: policy))
        #expect(statement.predicate["policy"] == ["uri": .string(VerificationSummary.defaultPolicyURI)])
    }

    @Test func bundlesAreSummedUpTogether() throws {
        let bundle = NamedBundle(name: "a", contents: try MadeBundle().contents())
        let report = verify([bundle, bundle], policy: Self.policy())
        let predicate = try #require(Self.summary.statement(of: report, policy: Self.policy())).predicate
        #expect(predicate["verificationResult"] == "PASSED")
        #expect(predicate["inputAttestations"]?.arrayValue?.count == 4)
        #expect(predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1"])
    }
}

@Suite struct SLSABuildLevelTests {
    @Test(
        arguments: [
            (Platform.snp, true, "sandbox", 3), (.googleTDX, true, "tdx", 3), (.azureSNP, true, "sandbox", 3),
            (.snp, true, "none", 2), (.snp, true, nil, 2), (.vtpm, true, "sandbox", 2), (.snp, false, "sandbox", 1),
            (.vtpm, false, "sandbox", 1), (.software, true, "sandbox", 1), (nil, true, "sandbox", 1),
        ] as [(Platform?, Bool, String?, Int)])
    func noMoreIsClaimedThanIsShown(platform: Platform?, isImageKnown: Bool, isolation: String?, level: Int) {
        let found = SLSABuildLevel(
            platform: platform, isImageKnown: isImageKnown, isolation: isolation, policy: AppraisalPolicy())
        #expect(found.rawValue == level)
        for weaken in [\SNPPolicy.acceptDebugGuestsUnsafely, \.acceptMigrationAgents] {
            var weak = AppraisalPolicy()
            weak.snp[keyPath: weaken] = true
            let weakened = SLSABuildLevel(
                platform: platform, isImageKnown: isImageKnown, isolation: isolation, policy: weak)
            #expect(weakened == .one)
        }
    }

    /// A log that agrees with the registers is of step 3 too.
    @Test func anEventLogMakesNoImageKnown() {
        var report = ReportRecorder()
        report.leaveOut(3, "measurement", "not checked, as any was accepted")
        report.pass(3, "event log", "replaying it gives the registers")
        #expect(!SLSABuildLevel.isImageKnown(report.lines))
        report.pass(3, "measurement", "MRTD is that of an image")
        #expect(SLSABuildLevel.isImageKnown(report.lines))
    }
}
