// SPDX-License-Identifier: Apache-2.0
import Builds

/// Sees to it that no result is served that is not as it was made: each is read once, before it is served first.
public actor ResultChecks {
    /// Jobs that are remembered; beyond them results are read again.
    private static let capacity = 1 << 16

    private var checked: Set<JobID> = []
    private var checking: [JobID: Task<Void, any Error>] = [:]

    public init() {}

    /// Returns where the result is as the job's record says, or the record says nothing. Throws `damaged` where it is
    /// not; it is set aside then.
    public func check(_ job: StoredJob, in folder: DataFolder) async throws(StorageError) {
        guard let record = job.resultFile, !checked.contains(job.id) else { return }
        let id = job.id
        let task =
            checking[id]
            ?? Task {
                try await DiskThreads.run { () throws(StorageError) in try folder.checkResult(id, against: record) }
            }
        checking[id] = task
        defer { checking[id] = nil }
        do {
            try await task.value
        } catch {
            throw error as? StorageError ?? StorageError(.inputOutput, "the result of job \(id) could not be read")
        }
        if checked.count >= Self.capacity { checked = [] }
        checked.insert(id)
    }
}
