// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Storage
import Synchronization

/// The readers of event streams at this moment: one clock for all their keep-alives, and one call that ends them all.
final class Readers: Sendable {
    private struct Key: Hashable {
        let log: ObjectIdentifier
        let loop: ObjectIdentifier

        init(_ log: EventLog, _ loop: any EventLoop) {
            self.log = ObjectIdentifier(log)
            self.loop = ObjectIdentifier(loop)
        }
    }

    private struct State {
        var audiences: [Key: (audience: Audience, count: Int)] = [:]
        var count = 0
        var isStopped = false
    }

    let logger: Logger
    let metrics: Metrics
    private let keepAlive: Duration
    private let state = Mutex(State())
    /// Ends when the last reader has gone after ``stop()``.
    private let farewell: AsyncStream<Never>
    private let lastHasGone: AsyncStream<Never>.Continuation

    init(keepAlive: Duration, logger: Logger, metrics: Metrics) {
        self.keepAlive = keepAlive
        self.logger = logger
        self.metrics = metrics
        (farewell, lastHasGone) = AsyncStream.makeStream()
    }

    /// How many streams are open.
    var count: Int { state.withLock { $0.count } }

    /// The audience of `log` on `loop`, for one more reader, who leaves it once.
    func audience(of log: EventLog, on loop: any EventLoop) -> Audience {
        metrics.streamBegan()
        return state.withLock { state in
            let key = Key(log, loop)
            state.count += 1
            let audience =
                state.audiences[key]?.audience
                ?? Audience(log: log, loop: loop, owner: self, isStopped: state.isStopped)
            state.audiences[key, default: (audience, 0)].count += 1
            return audience
        }
    }

    /// A reader has left the audience of `log` on `loop`; returns whether it was the last there.
    func left(_ log: EventLog, _ loop: any EventLoop) -> Bool {
        metrics.streamEnded()
        return state.withLock { state in
            let key = Key(log, loop)
            state.count -= 1
            if state.isStopped, state.count == 0 { lastHasGone.finish() }
            state.audiences[key]?.count -= 1
            guard state.audiences[key]?.count == 0 else { return false }
            state.audiences[key] = nil
            return true
        }
    }

    /// Looks after keep-alives until the task is cancelled.
    func run() async {
        while (try? await Task.sleep(for: keepAlive / Audience.silence)) != nil {
            forEachAudience { $0.advance() }
        }
    }

    /// Ends every stream at the next event boundary, also those to come. Returns when all have ended, or when the task is
    /// cancelled.
    func stop() async {
        state.withLock { state in
            state.isStopped = true
            if state.count == 0 { lastHasGone.finish() }
        }
        forEachAudience { $0.stop() }
        for await _ in farewell {}
    }

    private func forEachAudience(_ body: @escaping @Sendable (Audience) -> Void) {
        for (audience, _) in state.withLock({ $0.audiences.values.map { $0 } }) {
            audience.loop.execute { body(audience) }
        }
    }
}
