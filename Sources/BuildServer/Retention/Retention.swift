// SPDX-License-Identifier: Apache-2.0
package import Builds
package import Foundation
package import Logging
package import Storage

/// Removes jobs that are over, those that ended first at the front: where they are older than the operator keeps them,
/// and where all together are larger. What waits, runs or is being read stays.
///
/// A job's row goes first: from then on it is answered like one that never was. A crash before its folder is gone leaves a
/// folder without a job, which the next start removes.
package struct Retention: Sendable {
    /// Seconds between two looks.
    package static let interval = 60
    /// Seconds for which size alone removes no job: its requester is still on the way to the result.
    package static let leastAge = 60
    private static let batch = 256

    private let settings: RetentionSettings
    private let data: DataFolder
    private let store: any BuildStore
    private let logs: EventLogs
    private let reads: JobReads
    private let metrics: Metrics
    private let logger: Logger

    package init(
        _ settings: RetentionSettings, data: DataFolder, store: any BuildStore, logs: EventLogs, reads: JobReads,
        metrics: Metrics, logger: Logger
    ) {
        self.settings = settings
        self.data = data
        self.store = store
        self.logs = logs
        self.reads = reads
        self.metrics = metrics
        self.logger = logger
    }

    /// Looks at once, and again after each `pause`, until one throws: the usual one where the task is cancelled.
    package func run(
        now: () -> Date = { .now },
        pause: () async throws -> Void = { try await Task.sleep(for: .seconds(interval)) }
    ) async {
        guard settings != RetentionSettings() else { return }
        repeat {
            do {
                _ = try await sweep(now: now())
            } catch {
                logger.error("Old jobs could not be removed", metadata: ["error": "\(error)"])
            }
        } while (try? await pause()) != nil
    }

    /// Removes what is too old or too much at the time `now`; returns the ids, in the order in which they went.
    package func sweep(now: Date) async throws(StorageError) -> [JobID] {
        var removed: [JobID] = []
        if settings.age > 0 {
            removed += try await remove(before: now.addingTimeInterval(-Double(settings.age)), excess: nil)
        }
        if settings.size > 0 {
            let excess = try await store.finishedSize() - settings.size
            if excess > 0 {
                removed += try await remove(before: now.addingTimeInterval(-Double(Self.leastAge)), excess: excess)
            }
        }
        if !removed.isEmpty { logger.info("Old jobs removed", metadata: ["jobs.removed": "\(removed.count)"]) }
        return removed
    }

    /// - Parameter excess: bytes to be freed; `nil` for all that ended before `time`.
    private func remove(before time: Date, excess: Int64?) async throws(StorageError) -> [JobID] {
        var removed: [JobID] = []
        var kept: Set<JobID> = []
        var freed: Int64 = 0
        while true {
            let jobs = try await store.finished(
                before: time.formatted(.iso8601), limit: kept.count + Self.batch)
            let next = jobs.filter { !kept.contains($0.id) }
            guard !next.isEmpty else { return removed }
            for job in next {
                if let excess, freed >= excess { return removed }
                guard try await remove(job.id) else {
                    kept.insert(job.id)
                    continue
                }
                removed.append(job.id)
                metrics.removed(excess == nil ? .age : .size)
                freed += job.recordedSize
            }
        }
    }

    /// Whether the job is gone; not where somebody reads it.
    private func remove(_ id: JobID) async throws(StorageError) -> Bool {
        try await reads.withoutReaders(of: id) { () throws(StorageError) in
            try await store.remove(id)
            logs.forget(id)
            data.remove(id)
        }
    }
}
