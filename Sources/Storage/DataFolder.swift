// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation
import Synchronization

/// The one folder in which a service keeps everything.
///
///     lock                  held by the server that uses the folder
///     cupel.sqlite          jobs; its tables: DatabaseSchema
///     software.key          the private key of the `software` platform, 32 bytes
///     jobs/ID/source        the upload, until the build is over
///     jobs/ID/events.sse    the event log
///     jobs/ID/result.tar.gz the result, once the build is good
///     jobs/ID/result.tar.gz.zst the same for clients that take zstd, where there was room for it
///     incoming/ID           an upload that is being received
///     damaged/ID…           what was not as it was written: a job's folder, `.events.sse` or `.result.tar.gz`
///     workspaces/           builds that run
///     machines/             machines that run, where each build has one of its own
///     tpm-ca/               the authority for these machines' TPMs
///
/// Only the owner may read it; build users may pass through to their workspaces.
public final class DataFolder: Sendable {
    /// Absolute.
    public let path: String
    private let lock: Int32
    let incomingSync: Batches<Void, Void>

    /// Makes what is missing, and takes the lock. Throws `inUse` where another server has it.
    public init(path: String) throws(StorageError) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
        do {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        } catch {
            throw StorageError(.inputOutput, "could not make the data folder \(path): \(error.localizedDescription)")
        }
        incomingSync = Self.sync(incoming: self.path + "/incoming")
        lock = try Self.takeLock(self.path)
        try DurableFile.makeFolder(self.path, mode: 0o711)
        try DurableFile.makeFolder(self.path + "/jobs", mode: 0o700)
        try DurableFile.makeFolder(self.path + "/incoming", mode: 0o700)
        try DurableFile.makeFolder(workspacesPath, mode: 0o711)
        try DurableFile.syncFolder(of: workspacesPath)
    }

    deinit { close(lock) }

    public var databasePath: String { path + "/cupel.sqlite" }
    public var workspacesPath: String { path + "/workspaces" }
    /// Where the state of machines lies.
    public var machinesPath: String { path + "/machines" }
    /// Where the authority lies that vouches for the TPMs of machines.
    public var machineAuthorityPath: String { path + "/tpm-ca" }
    public func folderPath(_ id: JobID) -> String { "\(path)/jobs/\(id)" }
    public func sourcePath(_ id: JobID) -> String { folderPath(id) + "/source" }
    public func eventsPath(_ id: JobID) -> String { folderPath(id) + "/events.sse" }
    public func resultPath(_ id: JobID) -> String { folderPath(id) + "/result.tar.gz" }
    public func encodedResultPath(_ id: JobID) -> String { folderPath(id) + "/result.tar.gz.zst" }

    /// Where the upload of a job is written while it is received.
    public func incomingPath(_ id: JobID) -> String { "\(path)/incoming/\(id)" }

    /// Ids of all jobs that have a folder.
    func jobFolders() throws(StorageError) -> [JobID] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path + "/jobs").compactMap { JobID($0) }
        } catch {
            throw StorageError(.inputOutput, "could not list \(path)/jobs: \(error.localizedDescription)")
        }
    }

    /// Removes all that a job has on disk, where there is any. The result goes first: a crash before it is gone leaves a
    /// folder that is set aside at the next start, one after that a folder that is removed.
    public func remove(_ id: JobID) {
        unlink(resultPath(id))
        try? FileManager.default.removeItem(atPath: incomingPath(id))
        try? FileManager.default.removeItem(atPath: folderPath(id))
    }

    /// Removes the upload of a job that is over.
    public func removeSource(_ id: JobID) { unlink(sourcePath(id)) }

    /// Removes everything that an attempt left in a job's folder but its source and its events.
    func removeLeftovers(_ id: JobID) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folderPath(id))) ?? []
        for name in names where name != "source" && name != "events.sse" {
            try? FileManager.default.removeItem(atPath: "\(folderPath(id))/\(name)")
        }
    }

    /// The private key of the `software` platform; the first call makes it, by `generate`. A key that is there is never
    /// replaced: `corrupt` where it has another length than 32 bytes, `inputOutput` where it cannot be read.
    public func softwareKey(generate: () -> [UInt8]) throws(StorageError) -> [UInt8] {
        let file = path + "/software.key"
        if access(file, F_OK) == 0 || errno != ENOENT {
            let key: [UInt8]
            do {
                key = try DurableFile.read(file, limit: 33)
            } catch {
                throw StorageError(.inputOutput, "\(error.message); give its owner's account to this server")
            }
            guard key.count == 32 else {
                let found = key.count > 32 ? "more" : "\(key.count)"
                throw StorageError(
                    .corrupt, "\(file) has \(found) bytes, expected 32: restore it, or remove it for a new key")
            }
            return key
        }
        let key = generate()
        try DurableFile.write(key, to: file)
        return key
    }

    /// Of a server that was killed a moment ago, a child that has not begun its program yet still holds the lock: it is
    /// tried for two seconds.
    private static func takeLock(_ path: String) throws(StorageError) -> Int32 {
        let descriptor = uninterrupted { open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw DurableFile.failure("open", path + "/lock") }
        for _ in 0..<200 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            usleep(10_000)
        }
        close(descriptor)
        throw StorageError(
            .inUse, "the data folder \(path) is in use by another server: stop it, or name another folder by --data")
    }
}
