// SPDX-License-Identifier: Apache-2.0
import Builds
import Synchronization

/// A build that runs: passes its events on to the log, and measures by them how long each phase takes.
final class MeasuredBuild: BuildEventSink {
    private struct State {
        var phase = BuildPhase.detect
        var began = ContinuousClock.now
    }

    private let events: any BuildEventSink
    private let metrics: Metrics
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    init(_ events: any BuildEventSink, _ metrics: Metrics) {
        self.events = events
        self.metrics = metrics
    }

    func append(_ events: [BuildEvent]) throws(BuildFailure) {
        try self.events.append(events)
        metrics.buildEvents.add(events.count)
        for event in events {
            if let phase = BuildPhase(beginningWith: event) { enter(phase) }
        }
    }

    /// The build has ended, in whatever phase.
    func end(_ failure: BuildFailure?) {
        let (phase, began) = state.withLock { ($0.phase, $0.began) }
        let now = ContinuousClock.now
        metrics.phaseDurations.observe(now - began, phase)
        metrics.buildDurations.observe(now - started, failure == nil)
    }

    private func enter(_ phase: BuildPhase) {
        let ended: (phase: BuildPhase, duration: Duration)? = state.withLock { state in
            guard phase > state.phase else { return nil }
            let now = ContinuousClock.now
            defer { state = State(phase: phase, began: now) }
            return (state.phase, now - state.began)
        }
        if let ended { metrics.phaseDurations.observe(ended.duration, ended.phase) }
    }
}
