// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import Foundation

/// The folder that the build wrote, read when every process of the build is dead. Nothing in it is believed: an
/// artifact is a regular file, reached without following a link.
package struct OutputFolder: Sendable {
    package init(path: String) { self.path = path }

    /// Absolute.
    let path: String

    /// The file's absolute path and its size in bytes. Throws `ArtifactError` for anything but a regular file.
    package func regularFile(at relativePath: String) throws(BuildFailure) -> (path: String, size: Int64) {
        var current = path
        let components = relativePath.split(separator: "/", omittingEmptySubsequences: false)
        for (index, component) in components.enumerated() {
            guard !component.isEmpty, component != ".", component != ".." else {
                throw BuildFailure(.artifact, "the artifact '\(relativePath)' does not lie in the output folder")
            }
            current += "/\(component)"
            let expected = index == components.count - 1 ? S_IFREG : S_IFDIR
            let found = try status(of: current, in: relativePath)
            guard found.st_mode & S_IFMT == expected else {
                throw BuildFailure(
                    .artifact,
                    "the artifact '\(relativePath)' must be a regular file, found \(Self.kind(found.st_mode)) at "
                        + "'\(component)'")
            }
            if expected == S_IFREG { return (current, Int64(found.st_size)) }
        }
        throw BuildFailure(.artifact, "an artifact has no name")
    }

    private func status(of path: String, in artifact: String) throws(BuildFailure) -> stat {
        var result = stat()
        guard lstat(path, &result) == 0 else {
            throw BuildFailure(.artifact, "the artifact '\(artifact)' that the build reported is not there")
        }
        return result
    }

    private static func kind(_ mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFLNK: "a symbolic link"
        case S_IFDIR: "a folder"
        case S_IFIFO: "a FIFO"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        case S_IFREG: "a regular file"
        default: "something else"
        }
    }
}
