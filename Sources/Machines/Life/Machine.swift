// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import StrictJSON
internal import Synchronization

/// A machine whose agent answers. It is used once, and then ended.
///
/// Whoever has it calls ``end()``, however it came to that: a machine of which nobody knows any more runs on until its
/// guest powers itself off.
public final class Machine: Sendable {
    /// Where its agent speaks the build API: `http://127.0.0.1:PORT`.
    public let address: String
    /// The machine's own name in logs: "machine-1f8a…".
    public let name: String

    private let body: MachineBody
    private let network: MachineNetwork
    private let silence: MachineSilence
    private let isUnwanted = Mutex(false)
    private let fate = OneTimeValue<MachineError>()

    init(address: String, body: MachineBody, network: MachineNetwork, silence: Duration) {
        self.address = address
        self.name = body.folder.name
        self.body = body
        self.network = network
        self.silence = MachineSilence(limit: silence)
        Task { await watch() }
    }

    /// What its console says, line by line, from the start; `nil` at the end of it. One caller at a time. Of lines that
    /// nobody asks for, the latest are kept.
    public func nextConsoleLine() async -> String? { await body.console.next() }

    /// Returns when the machine is gone, by itself or by ``end()``, and nothing of it is left: why, with the console's
    /// last lines.
    public func ended() async -> MachineError { await fate.value() }

    /// Takes the machine's own network away, for good; the agent still answers. A machine without one has none to lose.
    public func cutNetwork() async throws(MachineError) {
        guard network != .none else { return }
        guard let qmp = body.qmp else { throw MachineError(.ended, "the machine is gone") }
        try await qmp.execute("set_link", ["name": .string(MachineDevices.outbound), "up": false])
    }

    /// Ends it, and returns when nothing of it is left. Can be called more than once.
    public func end() async {
        isUnwanted.withLock { $0 = true }
        body.kill()
        _ = await fate.value()
    }

    private func watch() async {
        let reason = await withTaskGroup(of: MachineError?.self) { group in
            group.addTask { [body] in await body.loss() }
            group.addTask { [silence, body, address] in
                await silence.watch(body.console, HealthProbe(address: address))
            }
            var reason = await group.next() ?? nil
            if reason == nil { reason = await group.next() ?? nil }
            body.kill()
            group.cancelAll()
            return reason
        }
        await body.end()
        fate.set(isUnwanted.withLock { $0 } ? Self.unwanted : said(reason))
    }

    private static let unwanted = MachineError(.ended, "the machine was ended, since it is not wanted any more")

    private func said(_ reason: MachineError?) -> MachineError {
        MachineError(reason?.code ?? .ended, (reason?.message ?? "the machine ended") + body.console.lastWords)
    }
}

/// Notices that a machine gives no sign of life.
struct MachineSilence: Sendable {
    let limit: Duration

    /// Returns when there was neither an answer nor a line on the console for ``limit``; `nil` where the task is
    /// cancelled. Looks five times in that time.
    func watch(_ console: MachineConsole, _ probe: HealthProbe) async -> MachineError? {
        var lastSign = ContinuousClock.now
        while !Task.isCancelled {
            if await probe.isAnswered(within: limit / 5) { lastSign = .now }
            lastSign = max(lastSign, console.lastOutput)
            if Task.isCancelled { return nil }
            if ContinuousClock.now - lastSign >= limit {
                return MachineError(
                    .deadline, "the machine gave no sign of life for \(limit.components.seconds) seconds")
            }
            try? await Task.sleep(for: limit / 5)
        }
        return nil
    }
}
