// SPDX-License-Identifier: Apache-2.0

/// Collects the lines and findings of a report. A verdict comes out of it alone, so that no check is forgotten: a step
/// without a line is one that could not be checked.
package struct ReportRecorder: Sendable {
    package private(set) var lines: [ReportLine] = []
    /// Why it is refused.
    package private(set) var findings: [Finding] = []
    /// Why it cannot be checked.
    package private(set) var obstacles: [Finding] = []

    package init() {}

    package mutating func pass(_ step: Int, _ name: String, _ compared: String) {
        add(step, name, .passed, compared)
    }

    /// Passes where there is no finding, and fails with all of them otherwise.
    package mutating func decide(_ step: Int, _ name: String, _ found: [Finding], passed compared: String) {
        guard let first = found.first else { return pass(step, name, compared) }
        let more = found.count > 1 ? ", and \(found.count - 1) more" : ""
        add(step, name, .failed, "\(first.subject): expected \(first.expected), found \(first.found)\(more)")
        findings += found
    }

    package mutating func fail(_ step: Int, _ name: String, _ finding: Finding) {
        decide(step, name, [finding], passed: "")
    }

    package mutating func leaveOut(_ step: Int, _ name: String, _ reason: String) {
        add(step, name, .notChecked, reason)
    }

    package mutating func obstruct(_ step: Int, _ name: String, _ finding: Finding) {
        add(step, name, .cannotCheck, "\(finding.subject): \(finding.found)")
        obstacles.append(finding)
    }

    /// A check that an earlier failure made pointless.
    package mutating func giveUp(_ step: Int, _ name: String, because reason: String) {
        add(step, name, .cannotCheck, reason)
    }

    package mutating func append(_ other: ReportRecorder) {
        lines += other.lines
        findings += other.findings
        obstacles += other.obstacles
    }

    /// Notes steps that have no line, and lines that could not be checked without a finding to say why.
    package mutating func complete(steps: ClosedRange<Int>) {
        for step in steps where !lines.contains(where: { $0.step == step }) {
            obstruct(step, "step \(step)", Self.incomplete(step))
        }
        guard findings.isEmpty, obstacles.isEmpty else { return }
        if let line = lines.first(where: { $0.status == .cannotCheck || $0.status == .failed }) {
            obstacles.append(Self.incomplete(line.step))
        }
    }

    private mutating func add(_ step: Int, _ name: String, _ status: ReportLine.Status, _ compared: String) {
        lines.append(ReportLine(step: step, name: name, status: status, compared: compared))
    }

    static func incomplete(_ step: Int) -> Finding {
        Finding(
            .incompleteAppraisal, subject: "step \(step)", expected: "a decision", found: "none",
            remedy: "report this: it is a defect of cupel")
    }
}
