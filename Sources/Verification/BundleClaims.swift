// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import Provenance
internal import StrictJSON

/// What a bundle that verifies proves, and what it does not, in sentences.
struct BundleClaims {
    private(set) var proves: [String] = []
    private(set) var doesNotProve: [String] = []

    init(_ verdict: Verdict, _ provenance: BundleProvenance, hasNonce: Bool, notOfNow: [String]) {
        guard case .accepted(let evidence) = verdict, let statement = provenance.statement else { return }
        proves = evidence.proves + [Self.statedBy(statement, provenance.record)]
        doesNotProve = evidence.doesNotProve
        doesNotProve += notOfNow
        if !hasNonce { doesNotProve.append("that the build is fresh: no nonce was asked for") }
        if provenance.record?.isolation == "none" {
            doesNotProve.append("that the build left its builder alone: it ran without a sandbox")
        }
        if let paths = provenance.record?.runtimeStorePaths, let first = paths.first {
            let others = paths.count == 1 ? "" : " and \(paths.count - 1) more"
            doesNotProve.append("what the artifacts do beside what they name outside of the bundle: \(first)\(others)")
        }
    }

    private static func statedBy(_ statement: Statement, _ record: BuildRecord?) -> String {
        let artifacts = statement.subjects.count == 1 ? "this artifact" : "these \(statement.subjects.count) artifacts"
        guard let record, let source = record.resolvedDependencies.first else {
            return "the signer says that it built \(artifacts) as provenance.json describes"
        }
        let origin = source.uri ?? source.name ?? "a source without a name"
        let commit = source.digest["gitCommit"].map { ", commit \($0)" } ?? ""
        return "the signer says that it built \(artifacts) from '\(origin)'\(commit)"
    }
}
