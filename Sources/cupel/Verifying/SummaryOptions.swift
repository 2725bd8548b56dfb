// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Pipeline
import Provenance
import Verification

/// Writing a SLSA Verification Summary beside the report.
struct SummaryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write a SLSA Verification Summary there, not signed; none where nothing could be checked.",
            valueName: "file"),
        completion: .file())
    var vsa: String?

    @Option(help: ArgumentHelp("The URI that names you as the verifier in the summary.", valueName: "uri"))
    var vsaVerifier = VerificationSummary.defaultVerifierID

    @Option(
        help: ArgumentHelp(
            "The URI from which the artifact is had. (default: a package URL of its digest)", valueName: "uri"))
    var vsaResource: String?

    /// Writes the summary where one is asked for and there is one.
    func write(_ report: VerificationReport, policy: VerificationPolicy, options: [String]) throws {
        try write {
            $0.statement(of: report, policy: policy)
        } options: {
            options
        }
    }

    /// As for one bundle.
    func write(_ report: JoinedReport, policy: VerificationPolicy, options: [String]) throws {
        try write {
            $0.statement(of: report, policy: policy)
        } options: {
            options
        }
    }

    private func write(_ statement: (VerificationSummary) -> Statement?, options: () -> [String]) throws {
        guard let vsa else { return }
        let summary = VerificationSummary(
            verifierID: vsaVerifier, verifierVersion: CupelVersion.text, timeVerified: Clock.nowText,
            resourceURI: vsaResource, options: options())
        guard let statement = statement(summary) else {
            return Console.warn("no summary was written: nothing could be checked, so there is nothing to sum up")
        }
        try InputFile.write(statement.canonicalBytes, to: vsa)
    }
}
