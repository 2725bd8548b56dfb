// SPDX-License-Identifier: Apache-2.0
package import Archives
package import Builds
internal import ByteCoding
internal import Foundation

/// The folder that the build wrote, read when every process of the build is dead. Nothing in it is believed: an
/// artifact is a regular file, reached without following a link. Each folder on the way is opened by its own name, so
/// that no name is a path to the kernel.
package struct OutputFolder: Sendable {
    package init(path: String) { self.path = path }

    /// Absolute.
    let path: String

    /// The open file. Throws `ArtifactError` for anything but a regular file.
    package func regularFile(at relativePath: String) throws(BuildFailure) -> OpenFile {
        let names = PathParts.all(relativePath)
        guard PathParts.isPlain(relativePath), let last = names.last else {
            throw BuildFailure(
                .artifact, "the artifact '\(printable(relativePath))' does not lie in the output folder")
        }
        guard var folder = OpenFolder(path) else {
            throw BuildFailure(.internal, "the output folder cannot be opened: \(systemError())")
        }
        for name in names.dropLast() {
            try require(S_IFDIR, name, in: folder, of: relativePath)
            guard let next = OpenFolder(name, in: folder) else { throw Self.missing(relativePath) }
            folder = next
        }
        try require(S_IFREG, last, in: folder, of: relativePath)
        return try OpenFile(reading: last, in: folder.descriptor, otherwise: .artifact)
    }

    /// Throws unless `name` is of this kind itself; a link is another.
    private func require(
        _ kind: mode_t, _ name: String, in folder: OpenFolder, of artifact: String
    ) throws(BuildFailure) {
        var found = stat()
        guard fstatat(folder.descriptor, name, &found, AT_SYMLINK_NOFOLLOW) == 0 else { throw Self.missing(artifact) }
        guard found.st_mode & S_IFMT == kind else {
            throw BuildFailure(
                .artifact,
                "the artifact '\(printable(artifact))' must be a regular file, found \(Self.kind(found.st_mode)) at "
                    + "'\(printable(name))'")
        }
    }

    private static func missing(_ artifact: String) -> BuildFailure {
        BuildFailure(.artifact, "the artifact '\(printable(artifact))' that the build reported is not there")
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

/// A folder that is held open; closed when the last reference goes.
private final class OpenFolder {
    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    let descriptor: Int32

    init?(_ path: String) {
        descriptor = uninterrupted { open(path, Self.flags) }
        if descriptor < 0 { return nil }
    }

    init?(_ name: String, in folder: OpenFolder) {
        descriptor = uninterrupted { openat(folder.descriptor, name, Self.flags) }
        if descriptor < 0 { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
