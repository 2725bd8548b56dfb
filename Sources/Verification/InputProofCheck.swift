// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import Provenance

/// A file that `cupel prove` wrote, as it was read.
public struct InputProofFile: Hashable, Sendable {
    /// For reports: where it was read from.
    public let name: String
    public let bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// Whether proofs show inputs of a build whose Merkle root is known; of step 7.
struct InputProofCheck {
    let root: Digest256
    /// `nil` where it is not known: a root does not say it.
    let treeSize: Int?

    /// The inputs that are proved.
    func record(_ files: [InputProofFile], in report: inout ReportRecorder) -> [ResourceDescriptor] {
        files.compactMap { file in
            do throws(MalformedBytes) {
                let proof = try InputProof(parsing: file.bytes)
                let findings = findings(proof, file.name)
                report.decide(7, "input proof", findings, passed: shown(proof, file.name))
                return findings.isEmpty ? proof.input : nil
            } catch {
                report.fail(
                    7, "input proof",
                    Finding(
                        .malformedInputProof, subject: file.name, expected: "an input proof", found: "\(error)",
                        remedy: "ask for it again: 'cupel prove' writes it"))
                return nil
            }
        }
    }

    /// All proofs of a bundle whose provenance is not ours, or cannot be read.
    static func giveUp(_ files: [InputProofFile], in report: inout ReportRecorder) {
        for file in files {
            report.obstruct(
                7, "input proof",
                Finding(
                    .noInputRoot, subject: file.name, expected: "an input_merkle_root in provenance.json",
                    found: "none",
                    remedy: "verify it with the bundle that it was made from"))
        }
    }

    private func findings(_ proof: InputProof, _ name: String) -> [Finding] {
        let remedy = "do not believe it: it shows no input of this build"
        var findings: [Finding] = []
        if proof.inputMerkleRoot != root {
            findings.append(
                Finding(
                    .inputProofRoot, subject: name, expected: "the input_merkle_root \(root)",
                    found: proof.inputMerkleRoot.hex, remedy: remedy))
        }
        if let treeSize, proof.treeSize != treeSize {
            findings.append(
                Finding(
                    .inputProofSize, subject: name, expected: "\(treeSize) inputs", found: "\(proof.treeSize)",
                    remedy: remedy))
        }
        if !proof.leadsToItsRoot {
            findings.append(
                Finding(
                    .inputProofPath, subject: name, expected: "a path from the input to the root that the proof names",
                    found: "a path to another root", remedy: remedy))
        }
        return findings
    }

    private func shown(_ proof: InputProof, _ name: String) -> String {
        let input = proof.input.uri ?? proof.input.name ?? "an input without a name"
        let digest = proof.input.digest.min { $0.key < $1.key }.map { ", \($0.key) \($0.value)" } ?? ""
        return "'\(name)' shows '\(input)'\(digest) under the Merkle root \(root)"
    }
}

extension Finding.Code {
    /// A proof does not parse.
    public static let malformedInputProof = Self(rawValue: "input-proof.malformed")
    /// A proof is under another root.
    public static let inputProofRoot = Self(rawValue: "input-proof.root")
    /// A proof is of a tree with another number of inputs.
    public static let inputProofSize = Self(rawValue: "input-proof.size")
    /// A proof's path does not lead to its root.
    public static let inputProofPath = Self(rawValue: "input-proof.path")
    /// The bundle names no root that a proof could be checked against.
    public static let noInputRoot = Self(rawValue: "input-proof.no-root")
}
