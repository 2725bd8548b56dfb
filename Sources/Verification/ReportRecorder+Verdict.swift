// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

extension ReportRecorder {
    /// What a recorded report comes to. A line that failed or could not be checked counts, also where nothing says why.
    var verdict: VerificationReport.Verdict {
        if !findings.isEmpty || lines.contains(where: { $0.status == .failed }) { return .refused }
        if !obstacles.isEmpty || lines.contains(where: { $0.status == .cannotCheck }) { return .notChecked }
        return .verified
    }

    /// What the policy adds to an earlier step stands with it; within a step the order stays.
    var linesInOrder: [ReportLine] { (1...7).flatMap { step in lines.filter { $0.step == step } } }
}
