// SPDX-License-Identifier: Apache-2.0
import Builds
import Logging
import Storage

extension Dispatcher {
    /// One build from its start to the place where it is settled. Nothing here ends the service: a job that cannot be
    /// settled stays as it is on the disk, and the next start decides about it.
    func build(_ id: JobID, slot: Int) async {
        let logger = logger(of: id)
        do {
            let log = try await log(of: id)
            // Tasks of their own, here and below: this one may have been cancelled, and what happens must be kept all the
            // same.
            let begun = Task { try await begin(id, log: log) }
            guard let job = try await begun.value else { return }
            logger.info("Build started", metadata: ["build.attempt": "\(job.attempt)"])
            let events = MeasuredBuild(log, metrics)
            let failure = await runner(job, events, slot)
            events.end(failure)
            let settled = Task { try await settle(job, failure, log: log) }
            try await settled.value
        } catch {
            logger.error("A build could not be settled", metadata: ["error": "\(error)"])
        }
    }

    /// The job's log, again and again where it cannot be opened: without it nobody can be told anything.
    private func log(of id: JobID) async throws -> EventLog {
        var pause = Self.firstPause
        for _ in 0..<Self.attempts {
            do throws(StorageError) {
                return try logs.openLog(id)
            } catch {
                guard error.code == .inputOutput else { throw error }
                logger(of: id).error("An event log could not be opened", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
        return try logs.openLog(id)
    }

    /// The job, its next attempt begun. `nil` where there is none: its record is damaged, or its start could not be kept.
    /// Its readers are told so.
    private func begin(_ id: JobID, log: EventLog) async throws -> StoredJob? {
        do throws(StorageError) {
            _ = try await store.markRunning(id)
            return try await store.job(id)
        } catch {
            logger(of: id).error("A build could not be started", metadata: ["error": "\(error)"])
            if error.code == .damaged {
                let failure = BuildFailure(.internal, Refusal.damaged.message)
                try await complete(log, failure, logger(of: id))
                metrics.ended(failure)
                return nil
            }
            let failure = BuildFailure(
                .internal, "the start of the build could not be kept on disk: submit it again")
            try await complete(log, failure, logger(of: id))
            try await Storage.settle(id, failure, store: store, folder: data)
            metrics.ended(failure)
            return nil
        }
    }

    private func settle(_ job: StoredJob, _ failure: BuildFailure?, log: EventLog) async throws {
        let logger = logger(of: job.id)
        // What did not end well has ended as its requester wished.
        let wish = failure == nil ? nil : cancelled[job.id]
        if wish == nil, isOutOfTime, failure?.kind == .cancelled {
            try await store.requeue(job.id)
            try log.append([.queued(position: 0)])
            logger.info("Build put back in line")
            return
        }
        let outcome = wish ?? failure
        try await complete(log, outcome, logger)
        try await Storage.settle(job.id, outcome, store: store, folder: data)
        metrics.ended(outcome)
        logger.info("Build ended", metadata: ["build.outcome": "\(outcome?.kind.rawValue ?? "ok")"])
    }

    /// The last event, again and again where the disk is full: readers wait for it. First soon, then every five seconds.
    private func complete(_ log: EventLog, _ failure: BuildFailure?, _ logger: Logger) async throws {
        var pause = Self.firstPause
        for _ in 0..<Self.attempts {
            do {
                return try log.append([.complete(failure)])
            } catch {
                logger.error("The last event could not be kept", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
        try log.append([.complete(failure)])
    }

    private static let attempts = 64
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)

    func logger(of id: JobID) -> Logger {
        var logger = logger
        logger[metadataKey: "build.id"] = "\(id)"
        return logger
    }
}
