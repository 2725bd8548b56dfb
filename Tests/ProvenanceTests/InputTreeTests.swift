// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

@Suite struct InputTreeTests {
    private static func tree(_ change: (inout BuildFacts) -> Void = { _ in }) throws -> InputTree {
        var facts = Samples.facts()
        change(&facts)
        return InputTree(try BuildRecord(facts.statement()))
    }

    @Test func leavesStandInTheirDocumentedOrder() throws {
        let leaves = try Self.tree().leaves
        #expect(
            leaves.map { $0.uri ?? $0.name } == [
                "git+https://example.com/p@main", "git+https://example.com/p@main", "Cargo.lock", "pkg:cargo/a@1",
                "pkg:cargo/b@1", "cargo", "rustc",
            ])
        #expect(leaves[0].digest.keys.sorted() == ["gitCommit"] && leaves[1].digest.keys.sorted() == ["gitTree"])
    }

    @Test func anUploadHasNoCommitLeaf() throws {
        let tree = try Self.tree { $0.source.descriptor.digest = ["sha256": Samples.digest("x").hex] }
        #expect(tree.leaves.count == 6)
    }

    @Test func theRootIsThatOfTheLeavesCanonicalBytes() throws {
        let tree = try Self.tree()
        #expect(tree.root == MerkleTree(leaves: tree.leaves.map(\.json.canonicalBytes)).root)
    }

    @Test func oneInputIsShownWithoutTheRest() throws {
        let tree = try Self.tree()
        for (index, leaf) in tree.leaves.enumerated() {
            let proof = try #require(tree.inclusionProof(leafIndex: index))
            #expect(
                MerkleTree.verify(
                    proof: proof, leafHash: MerkleTree.leafHash(leaf.json.canonicalBytes), leafIndex: index,
                    size: tree.leaves.count, root: tree.root))
        }
    }

    @Test func everyInputCounts() throws {
        let changes: [(inout BuildFacts) -> Void] = [
            { $0.source.descriptor.uri = "git+https://example.com/q@main" },
            { $0.source.descriptor.digest["gitCommit"] = String(repeating: "cd", count: 20) },
            { $0.source.descriptor.digest["gitTree"] = String(repeating: "cd", count: 20) },
            { $0.lockfile.digest = ["sha256": Samples.digest("other").hex] },
            { $0.dependencies.removeLast() },
            { $0.dependencies[0].annotations = ["vendored": true] },
            { $0.tools[0].digest = ["sha256": Samples.digest("other").hex] },
        ]
        let roots = try changes.map { try Self.tree($0).root } + [Self.tree().root]
        #expect(Set(roots).count == changes.count + 1)
    }
}
