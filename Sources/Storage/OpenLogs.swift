// SPDX-License-Identifier: Apache-2.0
import Builds

/// Event logs that are open: those that somebody holds, and a few that were asked for lately.
struct OpenLogs {
    /// Logs that stay open though nobody holds them.
    static let capacity = 64

    private struct Held {
        weak var log: EventLog?
    }

    private var held: [JobID: Held] = [:]
    /// Entries of `held` at which those that nobody holds any more are dropped.
    private var sweepSize = 1024
    /// Logs that stay open, and when each was asked for last.
    private var recent: [JobID: (log: EventLog, time: Int)] = [:]
    private var time = 0

    /// `nil` where the log is not open.
    subscript(id: JobID) -> EventLog? { held[id]?.log }

    /// Somebody asked for `log`.
    mutating func keep(_ log: EventLog, _ id: JobID) {
        time += 1
        recent[id] = (log, time)
        if held[id]?.log !== log { held[id] = Held(log: log) }
        if recent.count >= 2 * Self.capacity {
            let latest = recent.sorted { $0.value.time > $1.value.time }.prefix(Self.capacity)
            recent = Dictionary(uniqueKeysWithValues: latest.map { ($0.key, $0.value) })
        }
        if held.count >= sweepSize {
            held = held.filter { $0.value.log != nil }
            sweepSize = max(1024, 2 * held.count)
        }
    }

    /// The log is handed out no more.
    mutating func drop(_ id: JobID) { (held[id], recent[id]) = (nil, nil) }
}
