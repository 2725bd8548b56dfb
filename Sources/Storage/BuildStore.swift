// SPDX-License-Identifier: Apache-2.0
public import Builds

/// The jobs of a service and where each stands.
///
/// - **Durability**: what a call changed is there after a crash or a power cut, once the call has returned.
/// - **Order**: jobs keep the order in which they were accepted.
/// - **Concurrency**: any number of calls at one time. Each is done wholly or not at all; those that come together may
///   share one commit.
/// - **Retries**: none; an error means that nothing was changed.
/// - **Damage**: a record that is not as it was written is set aside, and every call for its job throws `damaged` from
///   then on. Calls for other jobs are not concerned.
public protocol BuildStore: Sendable {
    /// Keeps a new job. An id or an idempotency key that is there already is an error.
    func accept(_ job: StoredJob) async throws(StorageError)
    /// `nil` where there is no such job.
    func job(_ id: JobID) async throws(StorageError) -> StoredJob?
    /// The job that was accepted with this idempotency key; `nil` where there is none.
    func job(withKey key: String) async throws(StorageError) -> StoredJob?
    /// Jobs that wait or run, in order.
    func unfinished() async throws(StorageError) -> [StoredJob]
    /// Jobs that ended before `time` (RFC 3339, UTC), those that ended first at the front; at most `limit`.
    func finished(before time: String, limit: Int) async throws(StorageError) -> [StoredJob]
    /// Bytes of the logs and results of all jobs that have ended, as far as they are on record.
    func finishedSize() async throws(StorageError) -> Int64
    /// Ids of all jobs.
    func allJobs() async throws(StorageError) -> Set<JobID>
    /// A job begins another attempt; returns its number, counted from 1.
    func markRunning(_ id: JobID) async throws(StorageError) -> Int
    /// A job waits again, and the attempt that it was in does not count.
    func requeue(_ id: JobID) async throws(StorageError)
    /// A job has ended: well, where `failure` is `nil`. `files` are what it has on disk then.
    func finish(_ id: JobID, _ failure: BuildFailure?, _ files: FinishedFiles?) async throws(StorageError)
    /// Drops a job that has ended, with its idempotency key; its files are the data folder's to remove. Throws
    /// `unfinished` where the job waits or runs.
    func remove(_ id: JobID) async throws(StorageError)
    /// Checks every record, sets the damaged ones aside, and returns all that ever were set aside.
    func setAsideDamaged() async throws(StorageError) -> [DamagedJob]
}

extension BuildStore {
    /// The same for a job whose files are not on record: they are not checked when they are read.
    public func finish(_ id: JobID, _ failure: BuildFailure?) async throws(StorageError) {
        try await finish(id, failure, nil)
    }
}

/// A record that was set aside.
public struct DamagedJob: Hashable, Sendable {
    /// The job's id as the record says it; it may be what is damaged.
    public let id: String
    /// What differs: one clause.
    public let reason: String
    /// Whether it was found now, not earlier.
    public let isNew: Bool
}
