// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Foundation

/// Times of a source tree's files, which Nix takes for the flake's `lastModified`.
enum SourceTimes {
    private static let maximumDepth = 256

    /// Gives everything in `root`, itself included, one time, in seconds since 1970.
    static func set(_ root: String, to seconds: Int) throws(BuildFailure) {
        try set(root, times: [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)], depth: 0)
    }

    private static func set(_ path: String, times: [timespec], depth: Int) throws(BuildFailure) {
        guard depth < maximumDepth else {
            throw BuildFailure(.source, "the source nests more than \(maximumDepth) folders")
        }
        if ProjectFiles.kind(of: path) == .folder {
            do {
                for entry in try ProjectFiles.list(path) {
                    try set("\(path)/\(entry.name)", times: times, depth: depth + 1)
                }
            } catch {
                throw (error as? BuildFailure)
                    ?? BuildFailure(.internal, "the source's folder '\(shown(path))' cannot be read: \(error)")
            }
        }
        guard utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw BuildFailure(
                .internal, "the time of '\(shown(path))' cannot be set: \(String(cString: strerror(errno)))")
        }
    }
}
