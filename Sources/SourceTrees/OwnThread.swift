// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import Foundation
internal import Synchronization

/// Tells long work on a thread of its own that nobody waits for it any more, or not any longer.
package final class WorkLimit: Sendable {
    private let isCancelled = Atomic(false)
    private let deadline: ContinuousClock.Instant

    package init(seconds: Int) { deadline = ContinuousClock.now.advanced(by: .seconds(seconds)) }

    package func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Throws `CancelledError` or `TimeoutError` where the work should end.
    package func check() throws(BuildFailure) {
        if isCancelled.load(ordering: .relaxed) { throw BuildFailure(.cancelled, "the build was cancelled") }
        guard ContinuousClock.now < deadline else {
            throw BuildFailure(.timeout, "getting the source took longer than its time limit")
        }
    }

    /// Whole seconds that are left, at least 1.
    package var secondsLeft: Int { max(1, Int((deadline - ContinuousClock.now).components.seconds)) }
}

/// Runs blocking work on a thread of its own: the few threads that serve all requests must never wait for a disk.
package func onOwnThread<Value: Sendable>(
    _ work: @escaping @Sendable () throws(BuildFailure) -> Value
) async throws(BuildFailure) -> Value {
    let result: Result<Value, BuildFailure> = await withCheckedContinuation { continuation in
        let thread = Thread {
            continuation.resume(returning: Result { () throws(BuildFailure) in try work() })
        }
        // Walking deep trees is recursive.
        thread.stackSize = 8 << 20
        thread.start()
    }
    return try result.get()
}

/// As ``onOwnThread(_:)``, for work that changes nothing and cannot be ended: when this task is cancelled, nobody waits
/// for it any more.
package func onAbandonableThread<Value: Sendable>(
    _ work: @escaping @Sendable () throws(BuildFailure) -> Value
) async throws(BuildFailure) -> Value {
    let answer = FirstAnswer<Result<Value, BuildFailure>>()
    let thread = Thread { answer.give(Result { () throws(BuildFailure) in try work() }) }
    thread.start()
    let result = await withTaskCancellationHandler {
        await answer.value()
    } onCancel: {
        answer.give(.failure(BuildFailure(.cancelled, "the build was cancelled")))
    }
    return try result.get()
}

/// Of several answers, the first goes to the one who waits.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiter: CheckedContinuation<Value, Never>?
    }

    private let state = Mutex(State())

    func give(_ value: Value) {
        let waiter = state.withLock { state in
            guard state.value == nil else { return nil as CheckedContinuation<Value, Never>? }
            state.value = value
            return state.waiter.take()
        }
        waiter?.resume(returning: value)
    }

    /// To be called once.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLock { state in
                if state.value == nil { state.waiter = continuation }
                return state.value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}

/// As ``onOwnThread(_:)``, and ends the work when this task is cancelled.
package func onOwnThread<Value: Sendable>(
    limit: WorkLimit, _ work: @escaping @Sendable () throws(BuildFailure) -> Value
) async throws(BuildFailure) -> Value {
    let result: Result<Value, BuildFailure> = await withTaskCancellationHandler {
        do throws(BuildFailure) {
            return .success(try await onOwnThread(work))
        } catch {
            return .failure(error)
        }
    } onCancel: {
        limit.cancel()
    }
    return try result.get()
}
