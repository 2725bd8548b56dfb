// SPDX-License-Identifier: Apache-2.0
import Appraisal

/// How often a vendor's service is asked again, and how long is waited before: twice as long after each failure, of
/// which a random part is left out so that many verifiers do not come back at once.
public struct Patience: Hashable, Sendable {
    let first: Duration
    let longest: Duration
    let attempts: Int
    /// A service that wants to be left alone for longer is not asked again, in seconds.
    static let longestRetryAfter: Int64 = 60

    /// `attempts` counts the further attempts; 0 gives up at once.
    public init(first: Duration = .seconds(1), longest: Duration = .seconds(16), attempts: Int = 4) {
        self.first = first
        self.longest = longest
        self.attempts = attempts
    }

    /// The time until the next attempt, never less than what the service asked for; `nil` when there have been enough.
    ///
    /// - Parameters:
    ///   - failures: how many attempts have failed, 1 or more.
    ///   - retryAfter: seconds.
    ///   - random: 0 to 1, how much of the wait's second half is kept.
    func delay(failures: Int, retryAfter: Int64?, random: Double) -> Duration? {
        let asked = max(0, retryAfter ?? 0)
        guard failures <= attempts, asked <= Self.longestRetryAfter else { return nil }
        let full = min(first * (1 << min(failures - 1, 20)), longest)
        return max(full * (0.5 + 0.5 * random), .seconds(asked))
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// Seconds from `now` on; `nil` where the text is neither a number nor a date.
    static func seconds(_ text: String, now: Int64) -> Int64? {
        if let seconds = Int64(text) { return max(0, seconds) }
        return date(text).map { max(0, $0 - now) }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// "Sun, 06 Nov 1994 08:49:37 GMT", in seconds since 1970.
    private static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])),
            parts[1].count == 2
        else { return nil }
        let number = month + 1
        return CivilTime(rfc3339: "\(parts[3])-\(number < 10 ? "0" : "")\(number)-\(parts[1])T\(parts[4])Z")?
            .secondsSince1970
    }
}
