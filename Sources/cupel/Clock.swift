// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Foundation

/// This machine's clock.
enum Clock {
    /// Seconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    /// RFC 3339, UTC, whole seconds.
    static var nowText: String { CivilTime(secondsSince1970: now).rfc3339 }
}
