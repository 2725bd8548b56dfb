// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

/// The Merkle tree over everything that went into a build, so that one input can be shown without the others.
///
/// Leaves, in this order: source commit (clones only), source tree, lockfile, dependencies sorted by URI, toolchain
/// binaries by name. Each leaf is the canonical JSON of its ResourceDescriptor; the first two are the source's
/// descriptor with its `gitCommit` alone, and with all other digests.
public struct InputTree: Sendable {
    /// The inputs in the order of the leaves.
    public let leaves: [ResourceDescriptor]
    private let tree: MerkleTree

    /// - Parameters:
    ///   - resolvedDependencies: source, lockfile and dependencies, in the order of the provenance.
    ///   - tools: sorted by name.
    public init(resolvedDependencies: [ResourceDescriptor], tools: [ResourceDescriptor]) {
        let source = resolvedDependencies.prefix(1).flatMap(Self.split)
        leaves = source + resolvedDependencies.dropFirst() + tools
        tree = MerkleTree(leaves: leaves.map(\.json.canonicalBytes))
    }

    /// The tree over the inputs that a provenance lists, to be compared with the root that it names.
    public init(_ record: BuildRecord) {
        self.init(resolvedDependencies: record.resolvedDependencies, tools: record.tools)
    }

    /// The provenance's `input_merkle_root`.
    public var root: Digest256 { tree.root }

    /// The audit path of one leaf; `nil` where there is no such leaf.
    public func inclusionProof(leafIndex: Int) -> [Digest256]? { tree.inclusionProof(leafIndex: leafIndex) }

    private static func split(_ source: ResourceDescriptor) -> [ResourceDescriptor] {
        guard let commit = source.digest["gitCommit"] else { return [source] }
        var first = source
        first.digest = ["gitCommit": commit]
        var second = source
        second.digest["gitCommit"] = nil
        return [first, second]
    }
}
