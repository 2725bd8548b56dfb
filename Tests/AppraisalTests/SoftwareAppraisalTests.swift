// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import Testing

@Suite struct SoftwareAppraisalTests {
    private static let reportData = (0..<64).map { UInt8($0) }

    private static func envelope() throws -> EvidenceEnvelope {
        try SoftwareEvidence(
            signing: ReportData(bytes: reportData), privateKey: [UInt8](repeating: 7, count: 32)
        ).envelope
    }

    private static var accepting: AppraisalPolicy {
        var policy = AppraisalPolicy()
        policy.acceptSoftwareUnsafely = true
        return policy
    }

    @Test func acceptedEvidenceSaysWhatItDoesNotProve() throws {
        let result = appraise(try Self.envelope(), policy: Self.accepting, now: nil)
        guard case .accepted(let evidence) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(evidence.platform == "software" && evidence.binding.bytes == Self.reportData)
        #expect(evidence.doesNotProve.contains { $0.contains("machine") })
        #expect(result.claimedBinding == evidence.binding)
        #expect(result.lines.map(\.step) == [1, 2, 3, 4])
        #expect(result.lines.map(\.status) == [.passed, .passed, .notChecked, .notChecked])
    }

    @Test func itIsRefusedUnlessThePolicyNamesIt() throws {
        let result = appraise(try Self.envelope(), policy: AppraisalPolicy(), now: nil)
        guard case .rejected(let finding, let more) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(finding.code == .softwareNotAccepted && more.isEmpty)
        #expect(finding.remedy.contains("--allow-software"))
        #expect(result.lines.map(\.status) == [.passed, .failed, .notChecked, .notChecked])
    }

    @Test(arguments: ["report_data", "public_key", "signature"])
    func noChangedByteIsAccepted(field: String) throws {
        let envelope = try Self.envelope()
        let bytes = try Base64.decode(#require(envelope.evidence[field]?.stringValue))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            var members = try #require(envelope.evidence.objectValue)
            members[field] = .string(Base64.encode(changed))
            let changedEnvelope = EvidenceEnvelope(platform: "software", evidence: .object(members))
            let result = appraise(changedEnvelope, policy: Self.accepting, now: nil)
            guard case .rejected(let finding, _) = result.verdict else {
                Issue.record("\(field) byte \(index): \(result.verdict)")
                continue
            }
            #expect(finding.code == .badSoftwareSignature)
        }
    }

    @Test func bothReasonsAreGivenWhereThereAreTwo() throws {
        var members = try #require(Self.envelope().evidence.objectValue)
        members["signature"] = .string(Base64.encode([UInt8](repeating: 0, count: 64)))
        let envelope = EvidenceEnvelope(platform: "software", evidence: .object(members))
        let result = appraise(envelope, policy: AppraisalPolicy(), now: nil)
        guard case .rejected(let first, let more) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect([first.code] + more.map(\.code) == [.badSoftwareSignature, .softwareNotAccepted])
    }

    @Test func evidenceThatDoesNotParseIsRefusedInTheFirstStep() {
        let result = appraise(EvidenceEnvelope(platform: "software", evidence: [:]), policy: Self.accepting, now: nil)
        guard case .rejected(let finding, _) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(finding.code == .malformedEvidence && result.claimedBinding == nil)
        #expect(result.lines.map(\.status) == [.failed, .cannotCheck, .cannotCheck, .cannotCheck])
    }
}
