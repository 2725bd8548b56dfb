// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Logging

/// One build in one machine: the conversation with its agent, beside the watch over the machine, its console and the
/// clock.
struct RelayedBuild: Sendable {
    let job: RelayJob
    let machine: any BuildMachine
    let events: RelayedEvents
    let limits: RelayLimits
    let logger: Logger

    static var cancelled: BuildFailure { BuildFailure(.cancelled, "the build was cancelled") }

    /// Returns `nil` when the result has been fetched, otherwise why there is none. Either way the machine is gone.
    func run() async -> BuildFailure? {
        await withTaskGroup(of: RelayVerdict.News?.self) { group in
            group.addTask { await conversation.run() }
            group.addTask { .gone(await machine.ended()) }
            group.addTask { await pass(limits.deadline, .late) }
            group.addTask {
                while let line = await machine.nextConsoleLine() { events.console(line) }
                return nil
            }
            let failure = await verdict(&group)
            group.cancelAll()
            // Only then are all of them sure to end. Not in this task, which may be cancelled: nothing may be left.
            await Task { await machine.end() }.value
            await group.waitForAll()
            logger.info("The machine is gone", metadata: ["build.outcome": "\(failure?.kind.rawValue ?? "ok")"])
            return failure
        }
    }

    private var conversation: Conversation {
        Conversation(job: job, machine: machine, events: events, limits: limits, logger: logger)
    }

    private func verdict(_ group: inout TaskGroup<RelayVerdict.News?>) async -> BuildFailure? {
        var verdict = RelayVerdict(deadline: limits.deadline)
        while let news = await group.next() {
            guard let news else { continue }
            switch verdict.take(news) {
            case .goOn: continue
            case .waitAMoment: group.addTask { await pass(limits.farewell, .farewellOver) }
            case .end(let failure): return failure.map(explained)
            }
        }
        return Self.cancelled
    }

    /// The news when the time has passed; none where somebody cancels it.
    private func pass(_ time: Duration, _ news: RelayVerdict.News) async -> RelayVerdict.News? {
        do {
            try await Task.sleep(for: time)
            return news
        } catch {
            return nil
        }
    }

    /// With what the console said last, where the machine is to blame and the message has none of it.
    private func explained(_ failure: BuildFailure) -> BuildFailure {
        let lines = events.lastLines
        guard failure.kind == .machine, let last = lines.last, !failure.message.contains(last) else { return failure }
        return BuildFailure(.machine, "\(failure.message); its console said last: \(lines.joined(separator: " | "))")
    }
}
