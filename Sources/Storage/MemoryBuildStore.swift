// SPDX-License-Identifier: Apache-2.0
public import Builds

/// Jobs in memory, for tests of what uses a store: nothing survives the process.
public actor MemoryBuildStore: BuildStore {
    private var jobs: [JobID: StoredJob] = [:]
    private var order: [JobID] = []

    public init() {}

    public func accept(_ job: StoredJob) throws(StorageError) {
        guard jobs[job.id] == nil else { throw StorageError(.corrupt, "the job \(job.id) is there already") }
        jobs[job.id] = job
        order.append(job.id)
    }

    public func job(_ id: JobID) -> StoredJob? { jobs[id] }

    public func unfinished() -> [StoredJob] {
        order.compactMap { jobs[$0] }.filter { $0.state == .queued || $0.state == .running }
    }

    public func allJobs() -> Set<JobID> { Set(order) }

    public func markRunning(_ id: JobID) throws(StorageError) -> Int {
        try change(id) { $0.beginAttempt() }.attempt
    }

    public func requeue(_ id: JobID) throws(StorageError) { try change(id) { $0.returnToQueue() } }

    public func finish(_ id: JobID, _ failure: BuildFailure?) throws(StorageError) {
        try change(id) { $0.end(failure) }
    }

    @discardableResult
    private func change(_ id: JobID, _ edit: (inout StoredJob) -> Void) throws(StorageError) -> StoredJob {
        guard var job = jobs[id] else { throw StorageError(.unknownJob, "there is no job \(id)") }
        edit(&job)
        jobs[id] = job
        return job
    }
}
