// SPDX-License-Identifier: Apache-2.0

/// How long to wait before each further attempt, and when to stop trying: twice as long after each failure in a row,
/// from the first delay up to the longest. Progress of any kind begins afresh.
public struct RetrySchedule: Hashable, Sendable {
    let first: Duration
    let longest: Duration
    let attempts: Int
    private var failures = 0

    /// `attempts` counts the further attempts in a row; 0 gives up at once.
    public init(
        first: Duration = .milliseconds(250), longest: Duration = .seconds(10), attempts: Int = 24
    ) {
        self.first = first
        self.longest = longest
        self.attempts = attempts
    }

    /// The time until the next attempt, at least what the server asked for (but no more than a minute of it); `nil`
    /// when there have been enough.
    package mutating func delay(retryAfter: Int? = nil) -> Duration? {
        guard failures < attempts else { return nil }
        let doubled = first * (1 << min(failures, 20))
        failures += 1
        return max(min(doubled, longest), .seconds(min(max(retryAfter ?? 0, 0), 60)))
    }

    package mutating func madeProgress() { failures = 0 }
}

/// Something went wrong that another attempt may mend; what is being done about it.
public struct Interruption: Hashable, Sendable {
    /// One sentence, lower case, no full stop.
    public let reason: String
    /// The time until the next attempt.
    public let delay: Duration
}
