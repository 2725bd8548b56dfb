// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

/// Hands values from one thread to another, in order; who hands over waits while `capacity` of them are on the way.
final class Handover<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let places: DispatchSemaphore
    private let filled = DispatchSemaphore(value: 0)

    init(capacity: Int) {
        places = DispatchSemaphore(value: 0)
        // A semaphore that is freed below the value it was made with ends the process.
        for _ in 0..<capacity { places.signal() }
    }

    func put(_ value: Value) {
        places.wait()
        values.withLock { $0.append(value) }
        filled.signal()
    }

    /// Waits for the next value.
    func take() -> Value {
        filled.wait()
        defer { places.signal() }
        return values.withLock { $0.removeFirst() }
    }
}
