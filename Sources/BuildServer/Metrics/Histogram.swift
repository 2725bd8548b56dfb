// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// How long something took, each time: how often at most each of a few bounds, and in all. For what happens a few times
/// a second at most.
final class Histogram: Sendable {
    /// Seconds: from what a refused build takes to what the longest may.
    static let bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200]

    private struct State {
        /// One for each bound, and one for what is beyond all.
        var counts = Array(repeating: 0, count: Histogram.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func observe(_ duration: Duration) {
        let seconds = duration / .seconds(1)
        let place = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += seconds
        }
    }

    /// The buckets, each with what the ones before hold, then sum and count.
    func samples(labels: [(name: String, value: String)]) -> [MetricFamily.Sample] {
        let state = state.withLock { $0 }
        var samples: [MetricFamily.Sample] = []
        var count = 0
        for (bound, found) in zip(Self.bounds + [.infinity], state.counts) {
            count += found
            let bucket = labels + [("le", MetricFamily.text(bound))]
            samples.append(.init(suffix: "_bucket", labels: bucket, value: Double(count)))
        }
        samples.append(.init(suffix: "_sum", labels: labels, value: state.sum))
        samples.append(.init(suffix: "_count", labels: labels, value: Double(count)))
        return samples
    }
}

/// One histogram for each value of a label, each shown from the start.
struct LabelledHistograms<Value: Hashable & Sendable>: Sendable {
    private let label: String
    private let histograms: [(value: Value, text: String, histogram: Histogram)]

    /// - Parameter text: what a value is shown as.
    init(_ label: String, _ values: [Value], text: (Value) -> String) {
        self.label = label
        histograms = values.map { ($0, text($0), Histogram()) }
    }

    func observe(_ duration: Duration, _ value: Value) {
        histograms.first { $0.value == value }?.histogram.observe(duration)
    }

    var samples: [MetricFamily.Sample] {
        histograms.flatMap { $0.histogram.samples(labels: [(label, $0.text)]) }
    }
}
