// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Provenance
import Verification

/// `cupel prove`: shows one input of a build without the others.
struct Prove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a proof that one input went into a build, which shows none of the others.",
        discussion: """
            EXAMPLES:
              cupel prove result/project --dependency pkg:cargo/serde
              cupel prove project.tar.gz --dependency Cargo.lock --output lock.json
              cupel verify --input-proof lock.json --input-merkle-root 5f3a…

            The proof is under the input_merkle_root that provenance.json names. That this is the root of
            a build, only the bundle shows: 'cupel verify' checks it.
            """)

    @Argument(help: ArgumentHelp("A bundle: its folder, or its tarball.", valueName: "dir | tarball"))
    var bundle: String

    @Option(
        help: ArgumentHelp(
            """
            The input: its whole URI, a package URL without version where one fits, a digest such as gitCommit:5f3a…, \
            or a name such as Cargo.lock or rustc.
            """, valueName: "uri | digest | name"))
    var dependency: String

    @Option(
        help: ArgumentHelp("Write the proof to this file. (default: standard output)", valueName: "file"),
        completion: .file())
    var output: String?

    func run() async throws {
        let record = try BuildRecord(Statement(parsing: BundleReader.read(bundle).provenance))
        let tree = InputTree(record)
        guard tree.root == record.inputMerkleRoot else {
            throw CommandFailure(
                "provenance.json names the input_merkle_root \(record.inputMerkleRoot), and its inputs have \(tree.root)",
                hint: "do not trust the bundle: 'cupel verify' says more")
        }
        guard let proof = InputProof(of: try leafIndex(in: tree), in: tree) else {
            throw CommandFailure("the input could not be found again")
        }
        guard let output else { return Console.print(String(decoding: proof.canonicalBytes, as: UTF8.self)) }
        try InputFile.write(proof.canonicalBytes, to: output)
    }

    private func leafIndex(in tree: InputTree) throws -> Int {
        let found = tree.leafIndices(named: dependency)
        if found.count == 1 { return found[0] }
        let name = Console.plain(dependency)
        guard !found.isEmpty else {
            throw CommandFailure(
                "no input of \(tree.leaves.count) is called '\(name)'", hint: "'cupel inspect' lists all inputs")
        }
        let shown = found.prefix(Self.mostCandidates).map { Console.plain(Self.text(tree.leaves[$0])) }
        let rest = found.count - shown.count
        throw CommandFailure(
            "\(found.count) inputs are called '\(name)': " + shown.joined(separator: ", ")
                + (rest > 0 ? ", and \(rest) more" : ""),
            hint: "name one of them by its whole URI, or by its digest")
    }

    /// Candidates that are shown; the rest is counted.
    private static let mostCandidates = 10

    private static func text(_ input: ResourceDescriptor) -> String {
        let digest = input.digest.min { $0.key < $1.key }.map { " (\($0.key):\($0.value))" } ?? ""
        return (input.uri ?? input.name ?? "an input without a name") + digest
    }
}
