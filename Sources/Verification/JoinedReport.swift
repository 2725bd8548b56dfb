// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import StrictJSON

/// What several bundles of one artifact come to together: each is verified on its own, and those that verify must
/// agree. See ``verify(_:policy:)``.
public struct JoinedReport: Hashable, Sendable {
    /// In the order in which they were given.
    public let parts: [Part]
    /// What was compared between them.
    public let lines: [ReportLine]
    /// Why they are refused together; the reasons against one bundle stand in its own report.
    public let findings: [Finding]
    /// Why what is compared between them could not be decided.
    public let obstacles: [Finding]
    public let verdict: VerificationReport.Verdict

    /// One bundle and its report.
    public struct Part: Hashable, Sendable {
        /// What its verifier calls it.
        public let name: String
        public let report: VerificationReport
    }

    /// As of ``VerificationReport/exitCode``.
    public var exitCode: Int32 { verdict.exitCode }

    public var json: JSONValue {
        [
            "verdict": .string(verdict.rawValue), "exitCode": .integer(Int(exitCode)),
            "lines": .array(lines.map(\.json)), "findings": .array(findings.map(\.json)),
            "obstacles": .array(obstacles.map(\.json)),
            "bundles": .array(parts.map { ["name": .string($0.name), "report": $0.report.json] }),
        ]
    }
}

extension VerificationReport.Verdict {
    /// 0 verified, 1 checked and refused, 2 could not check.
    public var exitCode: Int32 {
        switch self {
        case .verified: 0
        case .refused: 1
        case .notChecked: 2
        }
    }
}
