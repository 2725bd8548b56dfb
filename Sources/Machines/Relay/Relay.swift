// SPDX-License-Identifier: Apache-2.0
public import Builds
public import Logging

/// Has a build run in a machine of its own, over the public API: hands the request in, passes the events on, fetches the
/// result. Whatever the machine does, this comes to an end, and the machine with it.
///
/// The host that relays is not trusted by whoever verifies; the machine is not trusted by the host.
public struct Relay: Sendable {
    /// Waits for a machine that is ready and unused; `report` is told of what goes on meanwhile.
    public typealias Taking =
        @Sendable (_ report: @escaping @Sendable (String) -> Void) async throws(MachineError) -> any BuildMachine

    private let limits: RelayLimits
    private let take: Taking

    public init(limits: RelayLimits, take: @escaping Taking) {
        self.limits = limits
        self.take = take
    }

    /// Runs one build. Its events go to `events`, all but the last (`complete`), which is the caller's to send: first
    /// what the host says of the machine (`vm`), then the machine's own, in order and once.
    ///
    /// Returns `nil` after a good build, whose result is then on disk at ``RelayJob/resultPath``; otherwise why it
    /// failed. Either way the machine is gone. A task that is cancelled returns a `CancelledError` soon.
    public func run(_ job: RelayJob, events: any BuildEventSink, logger: Logger) async -> BuildFailure? {
        let relayed = RelayedEvents(events, attempt: job.attempt, consoleLines: limits.consoleLines)
        do throws(BuildFailure) {
            try await build(job, relayed, logger)
            return nil
        } catch {
            return error
        }
    }

    private func build(_ job: RelayJob, _ events: RelayedEvents, _ logger: Logger) async throws(BuildFailure) {
        defer { RelayedResult.removeUnfinished(job) }
        RelayedResult.removeUnfinished(job)
        do throws(BuildFailure) {
            try await run(job, events, logger)
        } catch {
            // A spare one may have waited for hours. Of what no machine has begun, another may begin.
            guard error.kind == .machine, !events.hasBegun, !Task.isCancelled else { throw error }
            logger.warning("A machine was lost before it took the build", metadata: ["error": "\(error.message)"])
            try events.append(.machine("That machine was lost before it took the build; it gets another"))
            try await run(job, events, logger)
        }
        if Task.isCancelled { throw RelayedBuild.cancelled }
        try await RelayedResult.publish(job, limit: limits.resultSize)
    }

    private func run(_ job: RelayJob, _ events: RelayedEvents, _ logger: Logger) async throws(BuildFailure) {
        let machine = try await machine(events)
        var logger = logger
        logger[metadataKey: "machine.name"] = "\(machine.name)"
        logger.info("A machine is to take the build")
        let build = RelayedBuild(job: job, machine: machine, events: events, limits: limits, logger: logger)
        if let failure = await build.run() { throw failure }
    }

    private func machine(_ events: RelayedEvents) async throws(BuildFailure) -> any BuildMachine {
        let machine: any BuildMachine
        do {
            machine = try await take { events.say($0) }
        } catch {
            // There is none, so another would not be had either.
            events.begin()
            throw BuildFailure(error)
        }
        do throws(BuildFailure) {
            try events.append(.machine("A machine of its own is ready"))
            return machine
        } catch {
            await machine.end()
            throw error
        }
    }
}

extension BuildFailure {
    /// The end that a machine's end is for its build.
    init(_ error: MachineError) {
        self.init(error.code == .cancelled ? .cancelled : .machine, error.message)
    }
}
