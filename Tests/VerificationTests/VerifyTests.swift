// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

@Suite struct VerifyTests {
    @Test func aGoodBundleVerifies() throws {
        let report = try MadeBundle().verify(nonce: "abcd")
        #expect(report.verdict == .verified && report.exitCode == 0)
        #expect(report.findings.isEmpty && report.obstacles.isEmpty)
        #expect(report.platform == "software")
        #expect(report.subjects.map(\.name) == ["lib/l.so", "probe"])
        #expect(try report.provenanceDigest == Digest256(of: MadeBundle().contents().provenance))
    }

    @Test func everyStepHasItsLines() throws {
        let lines = try MadeBundle().verify(nonce: "ABCD").lines
        #expect(
            lines.map { "\($0.step) \($0.name) \($0.status)" } == [
                "1 format passed", "2 signature passed", "3 measurement notChecked", "4 platform notChecked",
                "5 binding passed", "5 nonce passed", "5 freshness passed", "6 artifacts passed",
                "6 other files passed", "7 provenance passed", "7 inputs passed",
            ])
        #expect(lines.allSatisfy { !$0.compared.isEmpty })
    }

    @Test func softwareIsRefusedUnlessItIsAskedForByName() throws {
        let report = try MadeBundle().verify(nonce: "abcd", acceptSoftware: false)
        #expect(report.exitCode == 1 && report.findings.map(\.code) == [.softwareNotAccepted])
        #expect(report.text(colour: false).contains("--allow-software"))
    }

    @Test func withoutANonceTheReportSaysThatFreshnessWasNotChecked() throws {
        let report = try MadeBundle().verify()
        #expect(report.exitCode == 0)
        #expect(report.lines.contains { $0.name == "freshness" && $0.status == .notChecked })
        #expect(report.doesNotProve.contains { $0.contains("fresh") })
        let asked = try MadeBundle().verify(nonce: "abcd")
        #expect(!asked.doesNotProve.contains { $0.contains("fresh") })
    }

    @Test func aBuildWithoutASandboxIsSaidToBeOne() throws {
        var bundle = MadeBundle()
        bundle.facts.isolation = "none"
        #expect(try bundle.verify().doesNotProve.contains { $0.contains("without a sandbox") })
        #expect(try !MadeBundle().verify().doesNotProve.contains { $0.contains("without a sandbox") })
    }

    @Test func allReasonsAreGiven() throws {
        var bundle = MadeBundle()
        bundle.touched = {
            $0.add("more")
            $0.remove("build.log")
            $0.change("artifacts/probe") { $0.kind = .other }
        }
        let report = try bundle.verify(nonce: "00", acceptSoftware: false)
        #expect(
            report.findings.map(\.code.rawValue) == [
                "software.not-accepted", "binding.freshness", "file.kind", "file.missing", "file.unnamed",
            ])
    }

    /// What fails is refused, also where something else could not be checked.
    @Test func aRefusalIsMoreThanAnObstacle() throws {
        var bundle = MadeBundle()
        bundle.touched = {
            $0.evidence = Array("{\"evidence\":{},\"platform\":\"sgx\"}".utf8)
            $0.add("more")
        }
        let report = try bundle.verify()
        #expect(report.verdict == .refused && report.exitCode == 1 && !report.obstacles.isEmpty)
    }

    @Test func nothingAtAllIsRefused() throws {
        let report = try MadeBundle.verify(BundleContents(provenance: [], evidence: [], files: []))
        #expect(report.exitCode == 1 && Set(report.lines.map(\.step)) == Set(1...7))
    }
}
