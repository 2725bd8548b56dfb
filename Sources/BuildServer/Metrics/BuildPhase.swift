// SPDX-License-Identifier: Apache-2.0
import Builds

/// A part of a build, as its events tell: each begins with an event and ends with the next one's.
enum BuildPhase: String, CaseIterable, Comparable, Sendable {
    /// From the start until the toolchain is known.
    case detect
    /// Until the first line of the build.
    case initialize = "init"
    case build, provenance, attest

    /// The phase that begins with this event; `nil` where it says nothing of that.
    init?(beginningWith event: BuildEvent) {
        switch event {
        case .detect: self = .initialize
        case .build: self = .build
        case .provenance: self = .provenance
        case .attest: self = .attest
        case .queued, .machine, .initialize, .complete: return nil
        }
    }

    static func < (one: Self, other: Self) -> Bool { one.order < other.order }

    private var order: Int {
        switch self {
        case .detect: 0
        case .initialize: 1
        case .build: 2
        case .provenance: 3
        case .attest: 4
        }
    }
}
