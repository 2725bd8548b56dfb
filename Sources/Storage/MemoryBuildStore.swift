// SPDX-License-Identifier: Apache-2.0
public import Builds

/// Jobs in memory, for tests of what uses a store: nothing survives the process.
public actor MemoryBuildStore: BuildStore {
    private var jobs: [JobID: StoredJob] = [:]
    private var order: [JobID] = []

    public init() {}

    public func accept(_ job: StoredJob) throws(StorageError) {
        guard jobs[job.id] == nil else { throw StorageError(.corrupt, "the job \(job.id) is there already") }
        if let key = job.idempotencyKey, self.job(withKey: key) != nil {
            throw StorageError(.corrupt, "a job with the idempotency key of \(job.id) is there already")
        }
        jobs[job.id] = job
        order.append(job.id)
    }

    public func job(_ id: JobID) -> StoredJob? { jobs[id] }

    public func job(withKey key: String) -> StoredJob? { jobs.values.first { $0.idempotencyKey == key } }

    public func unfinished() -> [StoredJob] { order.compactMap { jobs[$0] }.filter(\.isUnfinished) }

    public func finished(before time: String, limit: Int) -> [StoredJob] {
        let ended = order.compactMap { jobs[$0] }.compactMap { job in job.finishedAt.map { (end: $0, job: job) } }
        return ended.filter { $0.end < time }.sorted { $0.end < $1.end }.prefix(limit).map(\.job)
    }

    public func finishedSize() -> Int64 { jobs.values.reduce(0) { $0 + $1.recordedSize } }

    public func allJobs() -> Set<JobID> { Set(order) }

    public func markRunning(_ id: JobID) throws(StorageError) -> Int {
        try change(id) { $0.beginAttempt() }.attempt
    }

    public func requeue(_ id: JobID) throws(StorageError) { try change(id) { $0.returnToQueue() } }

    public func finish(_ id: JobID, _ failure: BuildFailure?, _ files: FinishedFiles?) throws(StorageError) {
        try change(id) { $0.end(failure, files) }
    }

    public func remove(_ id: JobID) throws(StorageError) {
        guard let job = jobs[id] else { throw StorageError(.unknownJob, "there is no job \(id)") }
        guard !job.isUnfinished else { throw StorageError(.unfinished, "the job \(id) has not ended") }
        jobs[id] = nil
        order.removeAll { $0 == id }
    }

    /// Memory is taken to keep what it is given.
    public func setAsideDamaged() -> [DamagedJob] { [] }

    @discardableResult
    private func change(_ id: JobID, _ edit: (inout StoredJob) -> Void) throws(StorageError) -> StoredJob {
        guard var job = jobs[id] else { throw StorageError(.unknownJob, "there is no job \(id)") }
        edit(&job)
        jobs[id] = job
        return job
    }
}
