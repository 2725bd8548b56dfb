// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

/// Shows that one input went into a build, without the others: a leaf of ``InputTree`` and its audit path (RFC 6962,
/// section 2.1.1).
///
/// A root says nothing of how many leaves there are: where the tree is not at hand, ``leafIndex`` and ``treeSize`` are
/// what the proof's maker says, and only ``input`` is proved.
public struct InputProof: Hashable, Sendable {
    public let input: ResourceDescriptor
    /// Counts from 0.
    public let leafIndex: Int
    public let treeSize: Int
    /// From the leaf upwards; as long as index and size make it.
    public let auditPath: [Digest256]
    /// What the proof's maker says that the root is.
    public let inputMerkleRoot: Digest256

    /// `nil` where the tree has no such leaf.
    public init?(of leafIndex: Int, in tree: InputTree) {
        guard let path = tree.inclusionProof(leafIndex: leafIndex) else { return nil }
        input = tree.leaves[leafIndex]
        self.leafIndex = leafIndex
        treeSize = tree.leaves.count
        auditPath = path
        inputMerkleRoot = tree.root
    }

    /// Whether the path leads from the input to ``inputMerkleRoot``. That this is the root of a build, only its
    /// provenance says.
    public var leadsToItsRoot: Bool {
        MerkleTree.verify(
            proof: auditPath, leafHash: MerkleTree.leafHash(input.json.canonicalBytes), leafIndex: leafIndex,
            size: treeSize, root: inputMerkleRoot)
    }
}

extension InputProof {
    private static let format = "input proof"
    private static let type = "cupel input proof"

    /// RFC 8785; the only spelling that ``init(parsing:)`` takes.
    public var canonicalBytes: [UInt8] {
        let json: JSONValue = [
            "type": .string(Self.type), "version": 1, "input": input.json, "leafIndex": .integer(leafIndex),
            "treeSize": .integer(treeSize), "auditPath": .array(auditPath.map { .string($0.hex) }),
            "inputMerkleRoot": .string(inputMerkleRoot.hex),
        ]
        return json.canonicalBytes
    }

    /// Throws at another type or version, unknown or missing fields, an index that is not below the size, a path of
    /// another length than they make, and any spelling but the canonical one.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) {
        var reader = try JSONMembers(JSONValue(parsing: bytes), of: Self.format)
        let type = try reader.string("type")
        guard type == Self.type else { throw reader.malformed("type", "'\(type)', expected '\(Self.type)'") }
        guard try reader.required("version") == 1 else { throw reader.malformed("version", "1 expected") }
        input = try ResourceDescriptor(json: reader.required("input"))
        let size = try reader.required("treeSize").integerValue ?? 0
        guard size > 0 else { throw reader.malformed("treeSize", "a whole number from 1 expected") }
        guard let index = try reader.required("leafIndex").integerValue, (0..<size).contains(index) else {
            throw reader.malformed("leafIndex", "a whole number from 0 to \(size - 1) expected")
        }
        (leafIndex, treeSize) = (index, size)
        var path: [Digest256] = []
        for element in try reader.array("auditPath") {
            guard let hex = element.stringValue else { throw reader.malformed("auditPath", "strings expected") }
            path.append(try Digest256(hex: hex))
        }
        let length = Self.pathLength(leafIndex: index, treeSize: size)
        guard path.count == length else {
            throw reader.malformed("auditPath", "\(path.count) digests, expected \(length)")
        }
        auditPath = path
        inputMerkleRoot = try Digest256(hex: reader.string("inputMerkleRoot"))
        try reader.end()
        guard canonicalBytes == bytes else { throw reader.malformed("", "not in canonical form (RFC 8785)") }
    }

    /// One digest for each level at which the leaf's branch has a neighbour.
    private static func pathLength(leafIndex: Int, treeSize: Int) -> Int {
        var (index, last, length) = (leafIndex, treeSize - 1, 0)
        while last > 0 {
            if index & 1 == 1 || index < last { length += 1 }
            index >>= 1
            last >>= 1
        }
        return length
    }
}
