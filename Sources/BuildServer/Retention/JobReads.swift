// SPDX-License-Identifier: Apache-2.0
package import Builds
import Synchronization

/// Which jobs are being read at this moment, so that none is removed under its readers: whoever comes first keeps the
/// other out.
package final class JobReads: Sendable {
    private struct State {
        var counts: [JobID: Int] = [:]
        var removed: Set<JobID> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Keeps `job` for as long as the value lives; `nil` where it is being removed.
    package func begin(_ job: JobID) -> JobRead? {
        let isThere = state.withLock { state in
            guard !state.removed.contains(job) else { return false }
            state.counts[job, default: 0] += 1
            return true
        }
        return isThere ? JobRead(job: job, reads: self) : nil
    }

    /// Runs `remove` while nobody can begin to read `job`. Returns whether it ran: not where somebody reads.
    package func withoutReaders<Failure: Error>(
        of job: JobID, _ remove: () async throws(Failure) -> Void
    ) async throws(Failure) -> Bool {
        let isFree = state.withLock { $0.counts[job] == nil && $0.removed.insert(job).inserted }
        guard isFree else { return false }
        defer { _ = state.withLock { $0.removed.remove(job) } }
        try await remove()
        return true
    }

    fileprivate func end(_ job: JobID) {
        state.withLock { state in
            let left = (state.counts[job] ?? 1) - 1
            state.counts[job] = left > 0 ? left : nil
        }
    }
}

/// A job that is being read.
package final class JobRead: Sendable {
    private let job: JobID
    private let reads: JobReads

    fileprivate init(job: JobID, reads: JobReads) {
        self.job = job
        self.reads = reads
    }

    deinit { reads.end(job) }
}
