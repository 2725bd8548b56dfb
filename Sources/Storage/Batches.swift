// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Gathers what is asked for while earlier work goes on, and has it done together: one sync for many.
final class Batches<Item: Sendable, Value: Sendable>: Sendable {
    typealias Answer = Result<Value, StorageError>

    private struct State {
        var waiting: [(item: Item, answer: CheckedContinuation<Answer, Never>)] = []
        var isWorking = false
    }

    private let state = Mutex(State())
    private let limit: Int
    private let work: @Sendable ([Item]) async -> [Answer]

    /// - Parameters:
    ///   - limit: items that are done together at most.
    ///   - work: returns one answer for each item, in order. It is never called twice at one time.
    init(limit: Int, work: @escaping @Sendable ([Item]) async -> [Answer]) {
        self.limit = limit
        self.work = work
    }

    /// Returns when `item` is done. Cancelling the task does not take it back.
    func add(_ item: Item) async throws(StorageError) -> Value {
        let answer = await withCheckedContinuation { continuation in
            let begins = state.withLock { state in
                state.waiting.append((item, continuation))
                defer { state.isWorking = true }
                return !state.isWorking
            }
            if begins { Task { await run() } }
        }
        return try answer.get()
    }

    private func run() async {
        while let batch = next() {
            let answers = await work(batch.map(\.item))
            for (waiter, answer) in zip(batch, answers) { waiter.answer.resume(returning: answer) }
        }
    }

    /// `nil` where nothing waits; the next item then begins another run.
    private func next() -> [(item: Item, answer: CheckedContinuation<Answer, Never>)]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWorking = false
                return nil
            }
            let batch = Array(state.waiting.prefix(limit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }
}
