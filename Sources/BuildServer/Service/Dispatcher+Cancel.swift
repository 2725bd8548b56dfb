// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Logging
import Storage

extension Dispatcher {
    /// Ends a job as its requester wishes. Returns when it has ended: nothing of it waits or runs any more, and its last
    /// event is on the disk, so that no crash undoes what is answered now. Returns at once for a job that ended so before.
    ///
    /// Throws a conflict where the job has come to another end, be it while this was asked. Where the end cannot be kept,
    /// a job that waits goes on waiting.
    func cancel(_ id: JobID, log: EventLog) async throws(Refusal) {
        if position(of: id) != nil {
            try await leave(id, log: log)
        } else if let slot = slots[id], let build = builds[slot] {
            if cancelled[id] == nil { cancelled[id] = Self.cancellation }
            build.cancel()
            await build.value
        }
        switch log.outcome {
        case .some(let failure?) where failure.kind == .cancelled: return
        case .some: throw .alreadyOver
        case nil: throw isDraining ? .draining : .unsettled
        }
    }

    /// The last event is written while the job still has its place: it starts or ends, never both.
    private func leave(_ id: JobID, log: EventLog) async throws(Refusal) {
        let end = Self.cancellation
        do {
            try log.append([.complete(end)])
        } catch {
            logger.error("A job could not be cancelled", metadata: ["build.id": "\(id)", "error": "\(error)"])
            throw .storageFull
        }
        leaveLine(id)
        // A task of its own: the requester may have gone.
        await Task { await settle(id, end) }.value
    }

    private func settle(_ id: JobID, _ end: BuildFailure) async {
        let logger = logger(of: id)
        do {
            try await Storage.settle(id, end, store: store, folder: data)
            metrics.ended(end)
            logger.info("A job that waited was cancelled")
        } catch {
            // Its log is complete: the next start settles it.
            logger.error("A build could not be settled", metadata: ["error": "\(error)"])
        }
    }

    private static var cancellation: BuildFailure {
        BuildFailure(.cancelled, "cancelled by the requester at \(Date.now.formatted(.iso8601))")
    }
}
