// SPDX-License-Identifier: Apache-2.0
package import Builds
package import ByteCoding
internal import Foundation
internal import Synchronization

/// Remembers the digests and version texts of tools from build to build. An entry counts only while the file's path,
/// inode, size and times are as they were, so that a changed tool is read again.
public final class ToolDigestCache: Sendable {
    struct Identity: Hashable, Sendable {
        let path: String
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let modified: [Int]
        let changed: [Int]

        /// Of the file itself, links followed.
        init(_ path: String) throws(BuildFailure) {
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw BuildFailure(
                    .unsupportedToolchain, "the tool '\(path)' is not there: \(String(cString: strerror(errno)))")
            }
            self.path = path
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            #if canImport(Darwin)
                modified = [status.st_mtimespec.tv_sec, status.st_mtimespec.tv_nsec]
                changed = [status.st_ctimespec.tv_sec, status.st_ctimespec.tv_nsec]
            #else
                modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
                changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
            #endif
        }
    }

    private struct Entries {
        var digests: [Identity: Digest256] = [:]
        var versions: [Identity: String] = [:]
    }

    private static let limit = 4096
    private let entries = Mutex(Entries())
    private let reading = Mutex(())
    private let known: KnownFileDigests?

    /// - Parameter known: digests of files that need not be read.
    public init(known: KnownFileDigests? = nil) { self.known = known }

    /// Blocks while it reads the file.
    package func digest(of path: String) throws(BuildFailure) -> Digest256 {
        if let known, let digest = known.digest(of: path, on: try Identity(path).device) { return digest }
        return try digest(of: path, by: Self.fileDigest)
    }

    /// - Parameter compute: how what is at `path` is digested; always the same for one path.
    func digest(
        of path: String, by compute: (String) throws(BuildFailure) -> Digest256
    ) throws(BuildFailure) -> Digest256 {
        let identity = try Identity(path)
        if let known = entries.withLock({ $0.digests[identity] }) { return known }
        return try reading.withLock { (_) throws(BuildFailure) in try read(path, identity, compute) }
    }

    private static func fileDigest(_ path: String) throws(BuildFailure) -> Digest256 {
        do {
            return try ProjectFiles.digest(of: path, followingLinks: true)
        } catch {
            throw BuildFailure(.unsupportedToolchain, "the tool '\(path)' cannot be read: \(error.reason)")
        }
    }

    /// One file at a time: builds that begin together need the same ones, and the disk is one.
    private func read(
        _ path: String, _ identity: Identity, _ compute: (String) throws(BuildFailure) -> Digest256
    ) throws(BuildFailure) -> Digest256 {
        if let known = entries.withLock({ $0.digests[identity] }) { return known }
        let digest = try compute(path)
        guard try Identity(path) == identity else {
            throw BuildFailure(.unsupportedToolchain, "the tool '\(path)' changed while it was read; try again")
        }
        entries.withLock {
            if $0.digests.count >= Self.limit { $0.digests.removeAll() }
            $0.digests[identity] = digest
        }
        return digest
    }

    /// What the program at `path` says of its version; `ask` runs it where that is not known yet.
    func version(
        of path: String, ask: () async throws(BuildFailure) -> String
    ) async throws(BuildFailure) -> String {
        let identity = try Identity(path)
        if let known = entries.withLock({ $0.versions[identity] }) { return known }
        let version = try await ask()
        entries.withLock {
            if $0.versions.count >= Self.limit { $0.versions.removeAll() }
            $0.versions[identity] = version
        }
        return version
    }
}
