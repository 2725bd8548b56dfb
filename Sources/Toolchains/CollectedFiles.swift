// SPDX-License-Identifier: Apache-2.0
public import Provenance

/// What a build left.
public struct CollectedFiles: Hashable, Sendable {
    /// Sorted by name.
    public let artifacts: [BuiltArtifact]
    /// Symbolic links among the artifacts, sorted by name.
    public let links: [ArtifactLink]
    /// Further things that the provenance lists as by-products.
    public let byproducts: [ResourceDescriptor]
    /// Sentences for the requester: what is to be known before the artifacts are used.
    public let notes: [String]

    public init(
        artifacts: [BuiltArtifact], links: [ArtifactLink] = [], byproducts: [ResourceDescriptor] = [],
        notes: [String] = []
    ) {
        self.artifacts = artifacts
        self.links = links
        self.byproducts = byproducts
        self.notes = notes
    }
}

/// A file that a build made.
public struct BuiltArtifact: Hashable, Sendable {
    /// The path below `artifacts/` of the result.
    public let name: String
    /// The path below the workspace's output part. Not yet known to be there, or to be a file.
    public let relativePath: String
    /// Whether it is a program.
    public let executable: Bool

    public init(name: String, relativePath: String, executable: Bool) {
        self.name = name
        self.relativePath = relativePath
        self.executable = executable
    }
}
