// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON

extension FuzzTarget {
    /// What stands in provenance, and what is shown of it.
    static let provenance = [
        FuzzTarget("input-proof", { bytes throws(MalformedBytes) in try InputProof(parsing: bytes) }) { bytes, proof in
            expect(proof.canonicalBytes == bytes, "encoding gives other bytes")
            _ = proof.leadsToItsRoot
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try InputProof(parsing: bytes) }
        },
        FuzzTarget("artifact-links", { bytes throws(MalformedBytes) in try linkedBuild(bytes) }) { _, facts in
            guard let record = try? BuildRecord(facts.statement()) else {
                return expect(false, "what was stated does not read back")
            }
            expect(Set(record.links) == Set(facts.links), "other links are read than were stated")
        },
    ]

    /// A build with one artifact for each line without a tab, and one link for each line with one: name, tab, target.
    private static func linkedBuild(_ bytes: [UInt8]) throws(MalformedBytes) -> BuildFacts {
        let digest = Digest256(of: [])
        let input = ResourceDescriptor(name: "x", uri: "pkg:generic/x@1", digest: ["sha256": digest.hex])
        var facts = BuildFacts(
            buildType: BuildFacts.buildTypeBase, source: ResolvedSource(descriptor: input, externalParameters: [:]),
            nonceHex: "00", isolation: "none", internalParameters: [:], tools: [input], commandLine: [],
            environment: [:], phases: [], lockfile: input, dependencies: [input], builderID: "x", builderVersion: [:],
            invocationID: "x",
            attempt: 1, startedOn: "", finishedOn: "", logDigest: digest, launchMeasurement: nil, subjects: [])
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 {
                facts.links.append(ArtifactLink(name: parts[0], target: parts[1]))
            } else {
                facts.subjects.append(Subject(name: parts[0], sha256: digest))
            }
        }
        _ = try facts.statement()
        return facts
    }
}
