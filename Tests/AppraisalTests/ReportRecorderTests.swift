// SPDX-License-Identifier: Apache-2.0
import Appraisal
import StrictJSON
import Testing

@Suite struct ReportRecorderTests {
    private static let finding = Finding(
        .malformedEvidence, subject: "s", expected: "e", found: "f", remedy: "r")

    @Test func aStepThatWasForgottenCannotBeChecked() {
        var report = ReportRecorder()
        report.pass(1, "one", "")
        report.leaveOut(3, "three", "")
        report.complete(steps: 1...3)
        #expect(report.lines.map(\.step) == [1, 3, 2])
        #expect(report.obstacles.map(\.code) == [.incompleteAppraisal] && report.findings.isEmpty)
    }

    @Test func aStepThatWasGivenUpWithoutAReasonCannotBeChecked() {
        var report = ReportRecorder()
        report.giveUp(1, "one", because: "nothing")
        report.complete(steps: 1...1)
        #expect(report.obstacles.map(\.code) == [.incompleteAppraisal])
    }

    @Test func nothingIsAddedWhereEverythingWasDecided() {
        var report = ReportRecorder()
        report.pass(1, "one", "")
        report.decide(2, "two", [], passed: "a is b")
        report.complete(steps: 1...2)
        #expect(report.obstacles.isEmpty && report.findings.isEmpty && report.lines.count == 2)
        #expect(report.lines[1].status == .passed && report.lines[1].compared == "a is b")
    }

    @Test func aDecisionKeepsEveryFinding() {
        var report = ReportRecorder()
        report.decide(1, "one", [Self.finding, Self.finding], passed: "")
        #expect(report.findings.count == 2 && report.lines.count == 1 && report.lines[0].status == .failed)
        #expect(report.lines[0].compared == "s: expected e, found f, and 1 more")
    }

    @Test func linesAndFindingsAreData() {
        var report = ReportRecorder()
        report.obstruct(1, "one", Self.finding)
        #expect(
            report.lines[0].json == ["step": 1, "name": "one", "status": "cannotCheck", "compared": "s: f"])
        #expect(
            Self.finding.json == [
                "code": "evidence.malformed", "subject": "s", "expected": "e", "found": "f", "remedy": "r",
            ])
    }
}
