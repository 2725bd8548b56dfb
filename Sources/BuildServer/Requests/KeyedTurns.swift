// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lets those who come with the same key go one after another, and all others at one time.
package final class KeyedTurns: Sendable {
    /// By key, who waits; an entry means that somebody has the turn.
    private let turns = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

    package init() {}

    /// Runs `work` when nobody else with this key does.
    package func take<Value: Sendable>(_ key: String, _ work: () async throws -> Value) async rethrows -> Value {
        await wait(for: key)
        defer { pass(on: key) }
        return try await work()
    }

    private func wait(for key: String) async {
        await withCheckedContinuation { continuation in
            let isFree = turns.withLock { turns in
                guard turns[key] == nil else {
                    turns[key]?.append(continuation)
                    return false
                }
                turns[key] = []
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func pass(on key: String) {
        let next: CheckedContinuation<Void, Never>? = turns.withLock { turns in
            guard turns[key]?.isEmpty == false else {
                turns[key] = nil
                return nil
            }
            return turns[key]?.removeFirst()
        }
        next?.resume()
    }
}
