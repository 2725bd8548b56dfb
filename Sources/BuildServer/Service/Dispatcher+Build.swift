// SPDX-License-Identifier: Apache-2.0
import Builds
import Logging
import Storage

extension Dispatcher {
    /// One build from its start to the place where it is settled. Nothing here ends the service: a job that cannot be
    /// settled stays as it is on the disk, and the next start decides about it.
    func build(_ job: StoredJob, log: EventLog, slot: Int) async {
        let logger = logger(of: job)
        do {
            let failure = await attempt(job, log: log, slot: slot)
            // A task of its own: this one may have been cancelled, and the end must be kept all the same.
            let settled = Task { try await settle(job, failure, log: log) }
            try await settled.value
        } catch {
            logger.error("A build could not be settled", metadata: ["error": "\(error)"])
        }
    }

    /// Why the build failed, `nil` where it did not. One that cannot be marked as running does not run.
    private func attempt(_ job: StoredJob, log: EventLog, slot: Int) async -> BuildFailure? {
        let logger = logger(of: job)
        var job = job
        do {
            // A task of its own here too.
            job.attempt = try await Task { [job] in try await store.markRunning(job.id) }.value
        } catch {
            logger.error("A build could not be started", metadata: ["error": "\(error)"])
            return BuildFailure(.internal, "the start of the build could not be kept on disk: submit it again")
        }
        logger.info("Build started", metadata: ["build.attempt": "\(job.attempt)"])
        let events = MeasuredBuild(log, metrics)
        let failure = await runner(job, events, slot)
        events.end(failure)
        return failure
    }

    private func settle(_ job: StoredJob, _ failure: BuildFailure?, log: EventLog) async throws {
        let logger = logger(of: job)
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
        try await end(job, outcome)
        metrics.ended(outcome)
        logger.info("Build ended", metadata: ["build.outcome": "\(outcome?.kind.rawValue ?? "ok")"])
    }

    /// Settles a job whose log is complete. Its upload is of no use any more; it goes first, as the next start looks only
    /// at jobs that are not settled.
    func end(_ job: StoredJob, _ outcome: BuildFailure?) async throws {
        data.removeSource(job.id)
        try await store.finish(job.id, outcome)
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

    func logger(of job: StoredJob) -> Logger {
        var logger = logger
        logger[metadataKey: "build.id"] = "\(job.id)"
        return logger
    }
}
