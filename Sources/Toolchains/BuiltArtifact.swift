// SPDX-License-Identifier: Apache-2.0

/// A file that a build made and that Cargo reported.
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
