// SPDX-License-Identifier: Apache-2.0
import Builds

/// A job that goes on after a restart.
public struct RecoveredJob: Sendable {
    public let job: StoredJob
    public let log: EventLog
}

/// Brings jobs, logs and folders to agree after a stop of any kind, and returns the jobs that are to run, in order:
/// those that were interrupted first.
///
/// A job whose log is complete has ended, whatever its row says. A job that ran is started afresh once; the second time
/// it ends with `InterruptedError`; one whose log is missing or corrupt, with `InternalError` in its row. Half results
/// and folders of jobs that were never acknowledged are removed.
public func recover(
    store: any BuildStore, logs: EventLogs, folder: DataFolder
) async throws(StorageError) -> [RecoveredJob] {
    let known = try await store.allJobs()
    for id in try folder.jobFolders() where !known.contains(id) { folder.remove(id) }
    var interrupted: [RecoveredJob] = []
    var waiting: [RecoveredJob] = []
    for job in try await store.unfinished() {
        guard let log = try await openLog(of: job, logs: logs, store: store) else { continue }
        if let outcome = log.outcome {
            if outcome != nil { folder.removeLeftovers(job.id) }
            folder.removeSource(job.id)
            try await store.finish(job.id, outcome)
        } else if job.state == .queued {
            folder.removeLeftovers(job.id)
            waiting.append(RecoveredJob(job: job, log: log))
        } else if job.attempt < maximumAttempts {
            folder.removeLeftovers(job.id)
            interrupted.append(RecoveredJob(job: job, log: log))
        } else {
            folder.removeLeftovers(job.id)
            folder.removeSource(job.id)
            try await end(job, log: log, store: store)
        }
    }
    return interrupted + waiting
}

/// How often a build is started.
let maximumAttempts = 2

/// `nil` where the log is lost: that ends its job, and no other one.
private func openLog(
    of job: StoredJob, logs: EventLogs, store: any BuildStore
) async throws(StorageError) -> EventLog? {
    do throws(StorageError) {
        return try await logs.log(job.id)
    } catch {
        guard error.code == .corrupt else { throw error }
        try await store.finish(job.id, BuildFailure(.internal, error.message))
        return nil
    }
}

private func end(_ job: StoredJob, log: EventLog, store: any BuildStore) async throws(StorageError) {
    let failure = BuildFailure(
        .interrupted, "the service stopped during attempt \(job.attempt) of this build, the last: submit it again")
    do {
        try log.append([.complete(failure)])
    } catch {
        throw StorageError(.inputOutput, error.message)
    }
    try await store.finish(job.id, failure)
}
