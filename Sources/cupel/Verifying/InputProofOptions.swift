// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ByteCoding
import Verification

/// Proofs that something went into a build, on the command line.
struct InputProofOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What 'cupel prove' wrote: must show an input of the bundle; repeat it for more.", valueName: "file"),
        completion: .file())
    var inputProof: [String] = []

    @Option(
        help: ArgumentHelp(
            "Without a bundle: the input_merkle_root that the proofs must be under.", valueName: "hex"))
    var inputMerkleRoot: String?

    func files() throws -> [InputProofFile] {
        try inputProof.map { InputProofFile(name: $0, bytes: try InputFile.read($0)) }
    }

    /// Checks proofs alone. Throws the exit code where they do not verify.
    func run(json: Bool) throws {
        guard let root = try? Digest256(hex: inputMerkleRoot ?? "") else {
            throw CommandFailure("--input-merkle-root is not 64 lower-case hexadecimal digits")
        }
        let report = verify(try files(), inputMerkleRoot: root)
        if json { Console.print(report.json) } else { Console.write(report.text(colour: Console.usesColour(1)), to: 1) }
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    /// For ``VerificationSummary``.
    var changes: [String] { inputProof.map { "--input-proof \($0)" } }
}
