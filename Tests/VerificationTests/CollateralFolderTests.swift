// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import StrictJSON
import Testing
import Verification

@Suite struct CollateralFolderTests {
    private static func bundle(_ change: @escaping (inout BundleContents) -> Void) -> MadeBundle {
        var bundle = MadeBundle()
        bundle.touched = change
        return bundle
    }

    @Test func aFolderOfCollateralPassesAndIsSaidToBeThere() throws {
        let report = try Self.bundle {
            $0.add("collateral/amd/vcek.der")
            $0.add("collateral/crl")
        }.verify()
        #expect(report.exitCode == 0)
        #expect(report.lines.contains { $0.step == 6 && $0.name == "collateral" && $0.compared.hasPrefix("2 file(s)") })
        #expect(try !MadeBundle().verify().lines.contains { $0.name == "collateral" })
    }

    @Test(arguments: ["collateral", "collateral.", "Collateral/a", "artifacts/collateral/a", "collaterals/a"])
    func nothingElsePasses(path: String) throws {
        #expect(try Self.bundle { $0.add(path) }.verify().findings.map(\.code) == [.fileUnnamed])
    }

    @Test func linksAreRefused() throws {
        let report = try Self.bundle {
            $0.add("collateral/a")
            $0.change("collateral/a") { $0.kind = .other }
        }.verify()
        #expect(report.findings.map(\.code) == [.fileKind])
    }

    @Test func theFolderIsBounded() throws {
        func add(_ count: Int, size: Int64 = 1) -> (inout BundleContents) -> Void {
            return { contents in
                for index in 0..<count {
                    contents.add("collateral/\(index)")
                    contents.change("collateral/\(index)") { $0.size = size }
                }
            }
        }
        #expect(try Self.bundle(add(64, size: 2 << 20)).verify().exitCode == 0)
        #expect(try Self.bundle(add(65)).verify().findings.map(\.code) == [.collateralCount])
        #expect(try Self.bundle(add(1, size: 2 << 20 + 1)).verify().findings.map(\.code) == [.collateralSize])
    }
}

@Suite struct JudgedTimeTests {
    /// Evidence that has dates; it is refused, and the line stands there all the same.
    private static func report(
        collateral: CollateralSet = CollateralSet(), _ change: (inout VerificationPolicy) -> Void
    ) throws -> VerificationReport {
        var bundle = MadeBundle()
        bundle.touched = { $0.evidence = Array("{\"evidence\":{},\"platform\":\"snp\"}".utf8) }
        var policy = VerificationPolicy(now: 1_780_272_000)
        policy.present = 1_780_272_000
        change(&policy)
        return Verification.verify(try bundle.contents(), policy: policy, collateral: collateral)
    }

    /// A revocation list of AMD's from 2026-03-01 to 2030-01-01, as far as it decodes.
    private static let list = CollateralSet(
        amdRevocationLists: [
            (try? Base64.decode(
                "MFUwQwIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlBUkstTWlsYW4XDTI2MDMwMTAwMDAwMFoXDTMwMDEwMTAwMDAwMFowCgYI"
                    + "KoZIzj0EAwIDAgAB")) ?? []
        ])

    @Test func collateralThatIsYoungerThanTheBuildIsJudgedAsOfItsIssue() throws {
        let report = try Self.report(collateral: Self.list) { $0.timeSource = .build }
        #expect(report.datesAsOf == "2026-03-01T00:00:00Z" && report.timeSource == .build)
        #expect(report.lines.contains { $0.name == "dates" && $0.compared.contains("newest piece of collateral") })
    }

    @Test func collateralOfTheFutureDoesNotMoveTimeBeyondTheClock() throws {
        let report = try Self.report(collateral: Self.list) {
            $0.timeSource = .build
            $0.present = 1_769_904_000
        }
        #expect(report.datesAsOf == "2026-02-01T00:00:00Z")
    }

    @Test func collateralDoesNotMoveATimeThatIsNotTheBuilds() throws {
        #expect(try Self.report(collateral: Self.list) { _ in }.datesAsOf == "2026-06-01T00:00:00Z")
    }

    @Test func theClockIsSaidToBeTheClock() throws {
        let report = try Self.report { _ in }
        let line = try #require(report.lines.first { $0.name == "dates" })
        #expect(line.step == 2 && line.status == .passed)
        #expect(line.compared == "judged as of 2026-06-01T00:00:00Z, by this machine's clock")
        #expect(report.json["dates"] == ["asOf": "2026-06-01T00:00:00Z", "source": "clock"])
    }

    @Test func aGivenTimeIsSaidToBeGiven() throws {
        let report = try Self.report {
            $0.now = 0
            $0.timeSource = .given
        }
        #expect(
            report.lines.contains { $0.compared == "judged as of 1970-01-01T00:00:00Z, the time that was given (--at)" }
        )
        #expect(report.json["dates"]?["source"] == "given")
    }

    @Test func theBuildsTimeIsTheOneThatItsProvenanceStates() throws {
        let report = try Self.report { $0.timeSource = .build }
        #expect(report.datesAsOf == "2026-01-01T00:01:00Z" && report.timeSource == .build)
        #expect(report.lines.contains { $0.name == "dates" && $0.status == .notChecked })
    }

    @Test func thePolicyCanRuleTheBuildsTimeOut() throws {
        let report = try Self.report {
            $0.timeSource = .build
            $0.acceptsBuildTime = false
        }
        #expect(report.datesAsOf == "2026-06-01T00:00:00Z" && report.timeSource == .clock)
    }

    /// Each bundle by its own time.
    @Test func bundlesWithTheirCollateralAreJudgedAsOfTheirBuilds() throws {
        var bundle = MadeBundle()
        bundle.touched = { $0.evidence = Array("{\"evidence\":{},\"platform\":\"snp\"}".utf8) }
        var policy = VerificationPolicy(now: 1_780_272_000)
        policy.present = 1_780_272_000
        let contents = try bundle.contents()
        let bundles = [false, true].map { NamedBundle(name: "b", contents: contents, isJudgedAsOfBuild: $0) }
        #expect(verify(bundles, policy: policy).parts.map(\.report.timeSource) == [.clock, .build])
        policy.timeSource = .given
        #expect(verify(bundles, policy: policy).parts.map(\.report.timeSource) == [.given, .given])
    }

    /// Then there is no time at all, and nothing that has dates is accepted.
    @Test func aBuildOfTheFutureIsNoTimeToJudgeBy() throws {
        let report = try Self.report {
            $0.timeSource = .build
            $0.present = 1_700_000_000
        }
        #expect(report.datesAsOf == nil && !report.lines.contains { $0.name == "dates" })
    }

    @Test func withoutDatesThereIsNothingToJudge() throws {
        var policy = VerificationPolicy(now: 0)
        policy.timeSource = .given
        policy.appraisal.acceptSoftwareUnsafely = true
        let report = try MadeBundle().verify(policy: policy)
        #expect(!report.lines.contains { $0.name == "dates" })
        #expect(!report.doesNotProve.contains { $0.contains("dates were judged") })
    }
}
