// SPDX-License-Identifier: Apache-2.0
import BuildServer
import StrictJSON

/// One thing that a machine has or lacks.
struct HostCheck {
    enum State: String {
        case present
        /// Builds need it.
        case missing
        /// Builds do without it.
        case absent
    }

    let name: String
    let state: State
    /// What was found, or what was looked for.
    let detail: String
    /// How to get it; empty where there is nothing to do.
    var remedy = ""

    func text(colour: Bool) -> String {
        let (mark, paint) =
            switch state {
            case .present: ("ok", 32)
            case .missing: ("missing", 31)
            case .absent: ("-", 90)
            }
        let padded = mark + String(repeating: " ", count: max(1, 9 - mark.count))
        let name = name + String(repeating: " ", count: max(1, 17 - name.count))
        let line = (colour ? "\u{1B}[\(paint)m\(padded)\u{1B}[0m" : padded) + name + Console.plain(detail)
        return remedy.isEmpty ? line : line + "\n" + String(repeating: " ", count: 26) + "→ \(Console.plain(remedy))"
    }

    var json: JSONValue {
        [
            "name": .string(name), "state": .string(state.rawValue), "detail": .string(detail),
            "remedy": .string(remedy),
        ]
    }

    /// In the order in which they are shown; some come together, since they take one look.
    static func all(_ configuration: Configuration) -> [@Sendable () async -> [HostCheck]] {
        [
            { [await BuildChecks.sandbox()] },
            { [await BuildChecks.git()] },
            { [await BuildChecks.cargo()] },
            { [BuildChecks.cgroup()] },
            { [await BuildChecks.nix()] },
            { [HardwareChecks.digestInstructions()] },
            { [HardwareChecks.snpGuest()] },
            { [HardwareChecks.tdxGuest()] },
            { [HardwareChecks.tpm()] },
            { [HardwareChecks.attester()] },
            { await IsolationChecks(configuration).all },
        ]
    }
}
