// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding

extension ProjectSettings {
    /// Reads `cupel.toml` at the top of a source tree; all settings have their defaults where there is none. Blocks
    /// while it reads files.
    ///
    /// Throws `SourceError` where it cannot be read, is malformed, or names a directory that is not in the source tree;
    /// `UnsupportedToolchainError` where it names a toolchain that is not one of `toolchains`.
    ///
    /// - Parameter toolchains: the names of all known ones, in the order in which they are tried.
    public static func read(sourceRoot: String, toolchains: [String]) throws(BuildFailure) -> ProjectSettings {
        guard let bytes = try bytes(in: sourceRoot) else { return ProjectSettings() }
        let settings = try ProjectSettings(parsing: bytes, toolchains: toolchains)
        try settings.requireDirectory(in: sourceRoot)
        return settings
    }

    private static func bytes(in root: String) throws(BuildFailure) -> [UInt8]? {
        let path = root + "/" + fileName
        guard ProjectFiles.exists(path) || ProjectFiles.kind(of: path) == .link else { return nil }
        guard let real = ProjectFiles.confined(fileName, from: root, root: root) else {
            throw BuildFailure(.source, "\(fileName) is a link that leads out of the source tree, or nowhere")
        }
        do {
            return try ProjectFiles.read(real, limit: maximumSize)
        } catch {
            throw BuildFailure(.source, "\(fileName) cannot be read: \(error.reason)")
        }
    }

    /// Each folder of the path is a real one: where a link is followed, tools see other folders around them than the
    /// path has.
    private func requireDirectory(in root: String) throws(BuildFailure) {
        var place = root
        for part in PathParts.names(directory) {
            place += "/" + part
            let kind = ProjectFiles.kind(of: place)
            guard kind != .folder else { continue }
            let found = kind == .link ? "is a link; name the folder itself" : "is none"
            throw BuildFailure(
                .source,
                "\(Self.fileName): 'directory' must name a folder of the source, but "
                    + "'\(shown(PathParts.below(root, place) ?? place))' \(found)")
        }
    }
}
