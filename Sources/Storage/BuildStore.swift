// SPDX-License-Identifier: Apache-2.0
public import Builds

/// The jobs of a service and where each stands.
///
/// - **Durability**: what a call changed is there after a crash or a power cut, once the call has returned.
/// - **Order**: jobs keep the order in which they were accepted.
/// - **Concurrency**: any number of calls at one time; each is one transaction.
/// - **Retries**: none; an error means that nothing was changed.
public protocol BuildStore: Sendable {
    /// Keeps a new job. An id that is there already is an error.
    func accept(_ job: StoredJob) async throws(StorageError)
    /// `nil` where there is no such job.
    func job(_ id: JobID) async throws(StorageError) -> StoredJob?
    /// Jobs that wait or run, in order.
    func unfinished() async throws(StorageError) -> [StoredJob]
    /// Ids of all jobs.
    func allJobs() async throws(StorageError) -> Set<JobID>
    /// A job begins another attempt; returns its number, counted from 1.
    func markRunning(_ id: JobID) async throws(StorageError) -> Int
    /// A job waits again, and the attempt that it was in does not count.
    func requeue(_ id: JobID) async throws(StorageError)
    /// A job has ended: well, where `failure` is `nil`.
    func finish(_ id: JobID, _ failure: BuildFailure?) async throws(StorageError)
}

extension StoredJob {
    mutating func beginAttempt() {
        state = .running
        attempt += 1
    }

    mutating func returnToQueue() {
        if state == .running { attempt -= 1 }
        state = .queued
    }

    mutating func end(_ failure: BuildFailure?) { state = failure == nil ? .succeeded : .failed }
}
