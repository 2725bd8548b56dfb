// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// One reader's wait for news: it ends with the news, when a keep-alive is due, or when the service stops.
final class Pulse: Sendable {
    private struct State {
        var wait: Task<Void, Never>?
        var isStopped = false
        var lastWrite = ContinuousClock.now
    }

    private let state = Mutex(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// How long nothing was written.
    var silence: Duration { state.withLock { .now - $0.lastWrite } }

    /// Runs `news`, which returns when it is cancelled.
    func wait(for news: @escaping @Sendable () async -> Void) async {
        let wait = Task { await news() }
        let isStopped = state.withLock { state in
            state.wait = wait
            return state.isStopped
        }
        if isStopped { wait.cancel() }
        await withTaskCancellationHandler {
            await wait.value
        } onCancel: {
            wait.cancel()
        }
        state.withLock { $0.wait = nil }
    }

    /// Something was written.
    func wrote() { state.withLock { $0.lastWrite = .now } }

    /// Ends the current wait where nothing was written for `limit`.
    func ring(after limit: Duration) {
        state.withLock { state in
            if .now - state.lastWrite >= limit { state.wait?.cancel() }
        }
    }

    /// Ends the current wait and every later one.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.wait?.cancel()
        }
    }
}

/// The readers of event streams at this moment: one clock for all their keep-alives, and one call that ends them all.
final class Readers: Sendable {
    private struct State {
        var pulses: [ObjectIdentifier: Pulse] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    let keepAlive: Duration

    init(keepAlive: Duration) { self.keepAlive = keepAlive }

    /// Runs `read` with a pulse of its own.
    func with(_ read: (Pulse) async throws -> Void) async rethrows {
        let pulse = Pulse()
        let isStopped = state.withLock { state in
            state.pulses[ObjectIdentifier(pulse)] = pulse
            return state.isStopped
        }
        if isStopped { pulse.stop() }
        defer { _ = state.withLock { $0.pulses.removeValue(forKey: ObjectIdentifier(pulse)) } }
        try await read(pulse)
    }

    /// Looks after keep-alives until the task is cancelled.
    func run() async {
        let pause = min(.seconds(1), keepAlive / 8)
        while (try? await Task.sleep(for: pause)) != nil {
            for pulse in state.withLock({ Array($0.pulses.values) }) { pulse.ring(after: keepAlive) }
        }
    }

    /// Ends every stream at the next event boundary, also those to come.
    func stop() {
        let pulses = state.withLock { state in
            state.isStopped = true
            return Array(state.pulses.values)
        }
        for pulse in pulses { pulse.stop() }
    }
}
