// SPDX-License-Identifier: Apache-2.0

/// When a spare machine is booted: a value that decides, and does nothing.
package struct SparePlan: Hashable, Sendable {
    /// The longest pause after failures.
    package static let longestPause = Duration.seconds(300)
    /// A spare that lived so long did not fail: guests end themselves when nobody wants them for hours.
    package static let longLife = Duration.seconds(600)

    /// How many to keep ready.
    package let spare: Int
    /// Machines that are booting for somebody who waits.
    package var ownBoots = 0
    package private(set) var isBooting = false
    /// Spares in a row that did not boot, or ended soon and unused.
    package private(set) var failures = 0

    package init(spare: Int) { self.spare = max(0, spare) }

    /// After how long to boot one; `nil` where none is wanted now.
    package func nextBoot(ready: Int) -> Duration? {
        guard ready < spare, ownBoots == 0, !isBooting else { return nil }
        return pause
    }

    /// Doubles with each failure: 1 s, 2 s, up to ``longestPause``.
    package var pause: Duration {
        guard failures > 0 else { return .zero }
        return failures > 9 ? Self.longestPause : min(.seconds(1 << (failures - 1)), Self.longestPause)
    }

    /// `false` where it must not begin now.
    package mutating func beginBoot() -> Bool {
        guard ownBoots == 0, !isBooting else { return false }
        isBooting = true
        return true
    }

    package mutating func bootEnded(failed: Bool) {
        isBooting = false
        if failed { failures += 1 }
    }

    /// A spare that was good for something.
    package mutating func spareTaken() { failures = 0 }

    /// A spare ended unused.
    package mutating func spareDied(after life: Duration) {
        failures = life >= Self.longLife ? 0 : failures + 1
    }
}
