// SPDX-License-Identifier: Apache-2.0
package import ByteCoding

/// An appraisal with its report: steps 1 to 4 of verification, which concern the evidence alone.
public struct AppraisalResult: Sendable {
    public let verdict: Verdict
    package let recorder: ReportRecorder
    /// What the evidence says it is bound to, whether or not it was accepted; `nil` where it could not be read.
    public let claimedBinding: SignedBinding?

    public var lines: [ReportLine] { recorder.lines }

    /// - Parameter evidence: what is accepted where every step was decided and none failed; `nil` where it could not
    ///   be read.
    init(_ steps: ReportRecorder, evidence: AppraisedEvidence?) {
        var recorder = steps
        recorder.complete(steps: 1...4)
        self.recorder = recorder
        claimedBinding = evidence?.binding
        if let first = recorder.findings.first {
            verdict = .rejected(first, Array(recorder.findings.dropFirst()))
        } else if let obstacle = recorder.obstacles.first {
            verdict = .cannotCheck(obstacle)
        } else if let evidence {
            verdict = .accepted(evidence)
        } else {
            verdict = .cannotCheck(ReportRecorder.incomplete(1))
        }
    }
}

extension AppraisalResult {
    /// Refused in step 1: what does not parse is not looked at further.
    package init(malformed error: MalformedBytes) {
        var steps = ReportRecorder()
        steps.fail(
            1, EvidenceStep.format,
            Finding(
                .malformedEvidence, subject: "evidence.json", expected: "evidence that parses completely",
                found: "\(error)", remedy: "fetch the bundle again; if it stays so, do not trust it"))
        for (step, name) in EvidenceStep.afterFormat {
            steps.giveUp(step, name, because: "the evidence does not parse")
        }
        self.init(steps, evidence: nil)
    }
}
