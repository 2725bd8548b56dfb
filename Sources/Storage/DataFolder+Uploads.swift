// SPDX-License-Identifier: Apache-2.0
public import Builds
import ByteCoding
import Foundation

/// The way of an upload: it is received in `incoming/`, synced there, and named in the job's folder as well. The name in
/// `incoming/` goes when the job is accepted. Whatever a crash takes, one of the two names of an accepted job's upload
/// is on the disk.
extension DataFolder {
    /// Makes the names in `incoming/` durable; calls that come at one time share a sync.
    public func syncIncoming() async throws(StorageError) { try await incomingSync.add(()) }

    /// The job's record is on the disk: its upload is found by the job's folder from now on.
    public func dropIncoming(_ id: JobID) { unlink(incomingPath(id)) }

    /// Gives an accepted job its upload back where a crash took the name in its folder.
    func adoptUpload(_ id: JobID) throws(StorageError) {
        guard access(sourcePath(id), F_OK) != 0, access(incomingPath(id), F_OK) == 0 else { return }
        try DurableFile.makeFolder(folderPath(id), mode: 0o700)
        try DurableFile.move(incomingPath(id), to: sourcePath(id))
    }

    /// Removes what was being received when the server stopped.
    func clearIncoming() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path + "/incoming")) ?? [] {
            try? FileManager.default.removeItem(atPath: "\(path)/incoming/\(name)")
        }
    }

    static func sync(incoming path: String) -> Batches<Void, Void> {
        Batches(limit: .max) { calls in
            let answer: Batches<Void, Void>.Answer
            do throws(StorageError) {
                try await DiskThreads.run { () throws(StorageError) in try DurableFile.syncFolder(of: path + "/") }
                answer = .success(())
            } catch {
                answer = .failure(error)
            }
            return calls.map { answer }
        }
    }
}
