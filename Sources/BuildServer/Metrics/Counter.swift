// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A number that any thread may add to at any time; nobody waits for anybody.
final class Counter: Sendable {
    private let value = Atomic(0)

    func add(_ amount: Int = 1) { value.add(amount, ordering: .relaxed) }
    func set(_ amount: Int) { value.store(amount, ordering: .relaxed) }

    var current: Int { value.load(ordering: .relaxed) }
}

/// One counter for each value of a label. The values are known from the start, so that each is shown from the start,
/// as 0.
struct LabelledCounters<Value: Hashable & Sendable>: Sendable {
    private let label: String
    private let counters: [(text: String, counter: Counter)]
    private let places: [Value: Int]

    /// - Parameter text: what a value is shown as.
    init(_ label: String, _ values: [Value], text: (Value) -> String) {
        self.label = label
        counters = values.map { (text($0), Counter()) }
        places = Dictionary(zip(values, values.indices)) { first, _ in first }
    }

    func add(_ value: Value) {
        if let place = places[value] { counters[place].counter.add() }
    }

    var samples: [MetricFamily.Sample] {
        counters.map { .init(labels: [(label, $0.text)], value: Double($0.counter.current)) }
    }
}
