// SPDX-License-Identifier: Apache-2.0
public import Builds

/// The files of a job that has ended.
public struct FinishedFiles: Hashable, Sendable {
    public let log: FileRecord
    /// `nil` for a job without a result.
    public let result: FileRecord?

    public init(log: FileRecord, result: FileRecord?) {
        self.log = log
        self.result = result
    }
}

/// Puts the end of a job whose log is complete on record, with what its files are. A file that is missing is not on
/// record: that is found when somebody asks for it. The upload is of no use any more; it goes first, as the next start
/// looks only at jobs that are not settled. So do the results of a job that failed, which may have failed while they were
/// put in place.
public func settle(
    _ id: JobID, _ outcome: BuildFailure?, store: any BuildStore, folder: DataFolder
) async throws(StorageError) {
    folder.removeSource(id)
    if outcome != nil { folder.removeLeftovers(id) }
    let files: FinishedFiles?
    do throws(StorageError) {
        files = try await folder.finishedFiles(id, hasResult: outcome == nil)
    } catch {
        guard error.code == .corrupt else { throw error }
        files = nil
    }
    try await store.finish(id, outcome, files)
}

extension DataFolder {
    fileprivate func finishedFiles(_ id: JobID, hasResult: Bool) async throws(StorageError) -> FinishedFiles {
        let paths = (log: eventsPath(id), result: hasResult ? resultPath(id) : nil)
        return try await DiskThreads.run { () throws(StorageError) in
            let log = try FileRecord(of: paths.log)
            guard let path = paths.result else { return FinishedFiles(log: log, result: nil) }
            return FinishedFiles(log: log, result: try FileRecord(of: path))
        }
    }
}
