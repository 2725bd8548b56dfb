// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import TestVectors
import Testing

@Suite struct MerkleTreeTests {
    /// The reference tree of Certificate Transparency: its leaves, and its roots of 0 to 8 leaves.
    private static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    private static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test(arguments: 0...8)
    func theReferenceTreeHasItsRoots(size: Int) throws {
        let tree = MerkleTree(leaves: try Self.leaves.prefix(size).map { try Hex.decode($0) })
        #expect(tree.root.hex == Self.roots[size])
    }

    private static func tree(of size: Int) -> MerkleTree {
        MerkleTree(leaves: (0..<size).map { Array("leaf \($0)".utf8) })
    }

    private static func leafHash(_ index: Int) -> Digest256 { MerkleTree.leafHash(Array("leaf \(index)".utf8)) }

    @Test func everyLeafOfEverySmallTreeIsProved() throws {
        for size in 1...65 {
            let tree = Self.tree(of: size)
            for index in 0..<size {
                let proof = try #require(tree.inclusionProof(leafIndex: index))
                #expect(
                    MerkleTree.verify(
                        proof: proof, leafHash: Self.leafHash(index), leafIndex: index, size: size, root: tree.root))
            }
        }
    }

    @Test(arguments: [1, 2, 3, 7, 8, 13])
    func noProofShowsAnythingElse(size: Int) throws {
        let tree = Self.tree(of: size)
        for index in 0..<size {
            let proof = try #require(tree.inclusionProof(leafIndex: index))
            func verifies(
                _ changed: [Digest256], leaf: Int? = nil, at place: Int? = nil, root: Digest256? = nil
            ) -> Bool {
                MerkleTree.verify(
                    proof: changed, leafHash: Self.leafHash(leaf ?? index), leafIndex: place ?? index, size: size,
                    root: root ?? tree.root)
            }
            #expect(verifies(proof))
            #expect(!verifies(proof, leaf: size))
            #expect(!verifies(proof, root: Self.tree(of: size + 1).root))
            #expect(!verifies(proof + [tree.root]))
            if !proof.isEmpty { #expect(!verifies(Array(proof.dropLast())) && !verifies(Array(proof.dropFirst()))) }
            for place in -1...size where place != index { #expect(!verifies(proof, at: place)) }
            for position in proof.indices {
                var changed = proof
                changed[position] = Self.leafHash(size + 1)
                #expect(!verifies(changed))
            }
        }
    }

    @Test func thereIsNoProofOfALeafThatIsNotThere() {
        for index in [-1, 3, Int.max, Int.min] { #expect(Self.tree(of: 3).inclusionProof(leafIndex: index) == nil) }
        #expect(Self.tree(of: 0).inclusionProof(leafIndex: 0) == nil)
    }

    /// A node is no leaf: the two are hashed apart.
    @Test func aNodeCannotPassForALeaf() {
        let pair = Self.tree(of: 2)
        let forged = MerkleTree(leaves: [Self.leafHash(0).bytes + Self.leafHash(1).bytes])
        #expect(pair.root != forged.root)
    }

    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
    func publishedInclusionProofsAgree() throws {
        let cases = try #require(JSONValue(parsing: SharedVectors.bytes("tlog/merkle-inclusion.json")).arrayValue)
        #expect(cases.count == 65)
        for row in cases {
            let isGood = row["wantErr"] != true
            #expect(Self.verifies(row) == isGood, "\(row["name"]?.stringValue ?? "")")
        }
    }

    private static func verifies(_ row: JSONValue) -> Bool {
        func digest(_ value: JSONValue?) throws -> Digest256 {
            try Digest256(rawBytes: Base64.decode(value?.stringValue ?? ""))
        }
        guard let index = row["leafIdx"]?.integerValue, let size = row["treeSize"]?.integerValue,
            let leaf = try? digest(row["leafHash"]), let root = try? digest(row["root"]),
            let proof = try? (row["proof"]?.arrayValue ?? []).map(digest)
        else { return false }
        return MerkleTree.verify(proof: proof, leafHash: leaf, leafIndex: index, size: size, root: root)
    }
}
