// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The Merkle tree of RFC 6962, section 2.1: leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right).
public struct MerkleTree: Sendable {
    private let leaves: [Digest256]

    /// A tree over `data`, in this order.
    public init(leaves data: [[UInt8]]) {
        leaves = data.map(Self.leafHash)
    }

    /// The hash of a leaf that holds `data`.
    public static func leafHash(_ data: [UInt8]) -> Digest256 { Digest256(of: [0x00] + data) }

    /// The tree's hash; of no leaves, the digest of nothing.
    public var root: Digest256 { Self.hash(leaves[...]) }

    /// The audit path of one leaf, from the leaf upwards (section 2.1.1); `nil` where there is no such leaf.
    public func inclusionProof(leafIndex: Int) -> [Digest256]? {
        guard leaves.indices.contains(leafIndex) else { return nil }
        return Self.path(to: leafIndex, in: leaves[...])
    }

    /// Whether `proof` shows that the leaf with `leafHash` stands at `leafIndex` of a tree of `size` leaves with
    /// `root` (RFC 9162, section 2.1.3.2).
    public static func verify(
        proof: [Digest256], leafHash: Digest256, leafIndex: Int, size: Int, root: Digest256
    ) -> Bool {
        guard leafIndex >= 0, leafIndex < size else { return false }
        var index = leafIndex
        var last = size - 1
        var hash = leafHash
        for sibling in proof {
            guard last > 0 else { return false }
            if index & 1 == 1 || index == last {
                hash = node(sibling, hash)
                while index & 1 == 0, index != 0 {
                    index >>= 1
                    last >>= 1
                }
            } else {
                hash = node(hash, sibling)
            }
            index >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    private static func node(_ left: Digest256, _ right: Digest256) -> Digest256 {
        Digest256(of: [0x01] + left.bytes + right.bytes)
    }

    private static func hash(_ leaves: ArraySlice<Digest256>) -> Digest256 {
        switch leaves.count {
        case 0: return Digest256(of: [])
        case 1: return leaves[leaves.startIndex]
        default:
            let split = leaves.startIndex + largestPowerOfTwo(below: leaves.count)
            return node(hash(leaves[..<split]), hash(leaves[split...]))
        }
    }

    private static func path(to index: Int, in leaves: ArraySlice<Digest256>) -> [Digest256] {
        guard leaves.count > 1 else { return [] }
        let split = leaves.startIndex + largestPowerOfTwo(below: leaves.count)
        return index < split
            ? path(to: index, in: leaves[..<split]) + [hash(leaves[split...])]
            : path(to: index, in: leaves[split...]) + [hash(leaves[..<split])]
    }

    private static func largestPowerOfTwo(below count: Int) -> Int {
        1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}
