// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Evidence
import StrictJSON
import Testing

@Suite struct PlatformTests {
    @Test func theNamesAreThoseOfTheEnvelope() {
        #expect(
            Platform.allCases.map(\.rawValue).sorted() == [
                "az-snp", "az-tdx", "gcp-snp", "gcp-tdx", "snp", "software", "tdx", "vtpm",
            ])
    }

    @Test(arguments: ["", "Software", "software ", "sgx", "SNP"])
    func anUnknownPlatformIsNotChecked(name: String) {
        var policy = AppraisalPolicy()
        policy.acceptSoftwareUnsafely = true
        let result = appraise(EvidenceEnvelope(platform: name, evidence: [:]), policy: policy, now: 0)
        guard case .cannotCheck(let finding) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(finding.code == .unknownPlatform && finding.expected.contains("software"))
    }

    /// Evidence with nothing in it is accepted for no platform.
    @Test(arguments: Platform.allCases)
    func emptyEvidenceIsNeverAccepted(platform: Platform) {
        var policy = AppraisalPolicy()
        policy.acceptSoftwareUnsafely = true
        let result = appraise(EvidenceEnvelope(platform: platform.rawValue, evidence: [:]), policy: policy, now: 0)
        if case .accepted = result.verdict { Issue.record("\(platform)") }
        #expect(Set(result.lines.map(\.step)) == [1, 2, 3, 4])
    }
}
