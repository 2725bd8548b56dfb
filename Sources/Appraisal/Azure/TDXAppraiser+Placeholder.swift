// SPDX-License-Identifier: Apache-2.0
internal import Evidence

// Stands in until TDX appraisal is there, which has this function; then this file is to be deleted.
extension TDXAppraiser {
    func recordHardware(_ quote: IntelQuote, in steps: inout ReportRecorder) -> Bool {
        steps.obstruct(
            2, EvidenceStep.signature,
            Finding(
                .unsupportedPlatform, subject: "td_quote", expected: "a platform that is appraised",
                found: "a TDX quote, which this version does not appraise", remedy: "use a newer version of cupel"))
        for (step, name) in EvidenceStep.afterFormat.dropFirst() {
            steps.giveUp(step, name, because: "the quote's signature could not be checked")
        }
        return false
    }
}
