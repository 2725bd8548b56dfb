// SPDX-License-Identifier: Apache-2.0
public import Builds

/// A source tree in its workspace, and which part of it is to be built how.
public struct Project: Hashable, Sendable {
    /// The source tree's folder on this machine, absolute.
    public let sourceRoot: String
    /// What its `cupel.toml` says.
    public let settings: ProjectSettings
    /// Seconds since 1970 that the build sees as `SOURCE_DATE_EPOCH`: when the commit was made, else 0.
    public let sourceDateEpoch: Int

    /// Reads `cupel.toml`. Throws where it is malformed, or names what is not there.
    public init(sourceRoot: String, sourceDateEpoch: Int = 0) throws(BuildFailure) {
        try self.init(sourceRoot: sourceRoot, sourceDateEpoch: sourceDateEpoch, among: Toolchains.all)
    }

    /// - Parameter toolchains: those that `cupel.toml` may name, and have a table there.
    package init(
        sourceRoot: String, sourceDateEpoch: Int = 0, among toolchains: [any Toolchain.Type]
    ) throws(BuildFailure) {
        self.sourceRoot = sourceRoot
        self.sourceDateEpoch = sourceDateEpoch
        settings = try ProjectSettings.read(sourceRoot: sourceRoot, toolchains: toolchains.map { $0.name })
    }

    /// The project's folder within the source tree: a plain relative path, empty for the tree itself.
    public var directory: String { settings.directory }

    /// The project's folder on this machine.
    public var folder: String { directory.isEmpty ? sourceRoot : "\(sourceRoot)/\(directory)" }

    /// The project's folder as commands see it.
    public func inside(_ workspace: Workspace) -> String {
        directory.isEmpty ? workspace.inside(.source) : "\(workspace.inside(.source))/\(directory)"
    }
}
