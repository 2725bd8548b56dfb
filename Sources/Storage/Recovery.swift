// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
public import Logging

/// A job that goes on after a restart.
public struct RecoveredJob: Sendable {
    public let job: StoredJob
    /// The place in line that its log says last, where that is the log's last event.
    public let toldPosition: Int?
}

/// Brings jobs, logs and folders to agree after a stop of any kind, and returns the jobs that are to run, in order:
/// those that were interrupted first.
///
/// A job whose log is complete has ended, whatever its row says. A job that ran is started afresh once; the second time
/// it ends with `InterruptedError`; one whose log is corrupt, with `InternalError` in its row. Folders that a crash took
/// from accepted jobs are made again. Half results and folders of jobs that were never acknowledged are removed. Records
/// that are damaged are set aside with their folders, and so are results without a record, as an older database leaves
/// them; the log of the service names them.
public func recover(
    store: any BuildStore, logs: EventLogs, folder: DataFolder, logger: Logger? = nil
) async throws(StorageError) -> [RecoveredJob] {
    let folders = try await settleFolders(store: store, folder: folder, logger: logger)
    let unfinished = try await store.unfinished()
    // Where the disk did not let go of an upload when its job ended, that is tried again.
    for id in folders.subtracting(unfinished.map(\.id)) { folder.removeSource(id) }
    var interrupted: [RecoveredJob] = []
    var waiting: [RecoveredJob] = []
    for job in unfinished {
        try folder.adoptUpload(job.id)
        guard let log = try await openLog(of: job, logs: logs, store: store, folder: folder) else { continue }
        if let outcome = log.outcome {
            try await settle(job.id, outcome, store: store, folder: folder)
        } else if job.state == .queued {
            folder.removeLeftovers(job.id)
            waiting.append(RecoveredJob(job: job, toldPosition: log.announcedPosition))
        } else if job.attempt < maximumAttempts {
            folder.removeLeftovers(job.id)
            interrupted.append(RecoveredJob(job: job, toldPosition: log.announcedPosition))
        } else {
            folder.removeLeftovers(job.id)
            try await end(job, log: log, store: store, folder: folder)
        }
    }
    folder.clearIncoming()
    return interrupted + waiting
}

/// How often a build is started.
let maximumAttempts = 2

/// Sets damaged records aside, and removes folders without a job. Where a record was ever damaged, its id may be what
/// is damaged: a folder without a job may then be that record's, and is set aside as well. One with a result is set aside
/// always: its build was good, and its job may only be missing from a database that was put back.
///
/// Returns the jobs whose folders stay.
private func settleFolders(
    store: any BuildStore, folder: DataFolder, logger: Logger?
) async throws(StorageError) -> Set<JobID> {
    let damaged = try await store.setAsideDamaged()
    for job in damaged where job.isNew {
        logger?.error(
            "The record of a job is damaged and was set aside in the table damaged_job: restore cupel.sqlite from a backup",
            metadata: ["build.id": "\(job.id)", "reason": "\(job.reason)"])
    }
    let known = try await store.allJobs()
    let folders = Set(try folder.jobFolders())
    for id in folders.subtracting(known) {
        guard !damaged.isEmpty || access(folder.resultPath(id), F_OK) == 0 else {
            folder.remove(id)
            continue
        }
        let place = try folder.setAside(id)
        logger?.error("A folder without a job was set aside", metadata: ["build.id": "\(id)", "to": "\(place)"])
    }
    return folders.intersection(known)
}

/// `nil` where the log is lost: that ends its job, and no other one.
private func openLog(
    of job: StoredJob, logs: EventLogs, store: any BuildStore, folder: DataFolder
) async throws(StorageError) -> EventLog? {
    do throws(StorageError) {
        return try logs.restore(job)
    } catch {
        guard error.code == .corrupt else { throw error }
        folder.removeSource(job.id)
        folder.removeLeftovers(job.id)
        try await store.finish(job.id, BuildFailure(.internal, error.message))
        return nil
    }
}

private func end(
    _ job: StoredJob, log: EventLog, store: any BuildStore, folder: DataFolder
) async throws(StorageError) {
    let failure = BuildFailure(
        .interrupted, "the service stopped during attempt \(job.attempt) of this build, the last: submit it again")
    do {
        try log.append([.complete(failure)])
    } catch {
        throw StorageError(.inputOutput, error.message)
    }
    try await settle(job.id, failure, store: store, folder: folder)
}
