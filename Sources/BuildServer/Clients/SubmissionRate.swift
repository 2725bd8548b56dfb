// SPDX-License-Identifier: Apache-2.0

/// How often each client came in the last minute, in memory that does not grow with the number of clients.
///
/// Two minutes are counted, this one and the one before, which counts for the share of it that the last 60 seconds still
/// cover. Where more clients come than there is room for, the minute is taken to be over: old ones are forgotten first.
package struct SubmissionRate: Sendable {
    /// Clients that one minute has room for.
    package static let capacity = 8192
    private static let minute = 60.0

    private var started: ContinuousClock.Instant?
    private var current: [Client: Int] = [:]
    private var previous: [Client: Int] = [:]

    package init() {}

    /// Clients that are remembered.
    package var count: Int { current.count + previous.count }

    /// Counts one of `client`'s, unless there were `limit` in the last minute: then it returns the seconds to wait.
    package mutating func add(_ client: Client, limit: Int, now: ContinuousClock.Instant) -> Int? {
        turn(client, now)
        let elapsed = elapsed(now)
        let before = Double(previous[client] ?? 0)
        let here = current[client] ?? 0
        guard before * (1 - elapsed / Self.minute) + Double(here) + 1 > Double(limit) else {
            current[client] = here + 1
            return nil
        }
        guard here < limit else { return Int((Self.minute - elapsed).rounded(.up)) + 1 }
        // When enough of the minute before has passed.
        let free = Self.minute * (1 - Double(limit - 1 - here) / before)
        return max(1, Int((free - elapsed).rounded(.up)))
    }

    private func elapsed(_ now: ContinuousClock.Instant) -> Double {
        guard let started else { return 0 }
        return max(0, (now - started) / .seconds(1))
    }

    /// Begins another minute where this one is over or full.
    private mutating func turn(_ client: Client, _ now: ContinuousClock.Instant) {
        let minutes = elapsed(now) / Self.minute
        let isFull = current.count >= Self.capacity && current[client] == nil
        guard started == nil || minutes >= 1 || isFull else { return }
        previous = minutes >= 2 ? [:] : current
        current = [:]
        started = minutes >= 2 || isFull ? now : (started.map { $0 + .seconds(60) } ?? now)
    }
}
