// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import ByteCoding
public import Provenance
public import StrictJSON

/// What the verification of input proofs without a bundle comes to. See ``json`` for tools and ``text(colour:)`` for
/// people.
public struct InputProofReport: Hashable, Sendable {
    /// One for each proof.
    public let lines: [ReportLine]
    /// Every reason for a refusal.
    public let findings: [Finding]
    public let verdict: VerificationReport.Verdict
    /// What the proofs were checked against; that it is the root of a build, the caller must know.
    public let inputMerkleRoot: Digest256
    /// The inputs that are proved; none where it is not verified.
    public let inputs: [ResourceDescriptor]

    /// 0 verified, 1 checked and refused.
    public var exitCode: Int32 { verdict.exitCode }

    /// The whole report. Fields may be added; none is renamed.
    public var json: JSONValue {
        [
            "verdict": .string(verdict.rawValue), "exitCode": .integer(Int(exitCode)),
            "inputMerkleRoot": .string(inputMerkleRoot.hex), "inputs": .array(inputs.map(\.json)),
            "lines": .array(lines.map(\.json)), "findings": .array(findings.map(\.json)),
        ]
    }

    /// The report for a terminal.
    public func text(colour: Bool) -> String {
        let style = TextStyle(isColoured: colour)
        let shown = lines.map { VerificationReport.line($0, style) }.joined()
        let most = VerificationReport.mostReasons
        var text = "\(style.headline(verdict))\n\n\(shown)"
        text += VerificationReport.section("why", findings.map(VerificationReport.reason), most: most)
        guard verdict == .verified else { return text }
        return text
            + VerificationReport.section(
                "not proved", ["that the root is that of a build: verify the bundle that names it"], most: most)
    }
}

/// Decides whether proofs show inputs of the build whose Merkle root the caller knows, without its bundle.
///
/// - Parameter proofs: at least one.
public func verify(_ proofs: [InputProofFile], inputMerkleRoot: Digest256) -> InputProofReport {
    var report = ReportRecorder()
    let inputs = InputProofCheck(root: inputMerkleRoot, treeSize: nil).record(proofs, in: &report)
    report.complete(steps: 7...7)
    return InputProofReport(
        lines: report.lines, findings: report.findings, verdict: report.verdict, inputMerkleRoot: inputMerkleRoot,
        inputs: report.verdict == .verified ? inputs : [])
}
