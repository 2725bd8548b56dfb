// SPDX-License-Identifier: Apache-2.0
import Builds

/// What there is to say about a build while it runs. Knows no clock and no terminal.
struct ProgressState {
    /// Lines of the build's log that are kept, to be shown where the build fails.
    static let tailLength = 40

    private(set) var crates = 0
    private(set) var tail: [String] = []
    private var phase = "submitting"
    private var detail = ""

    /// Takes in an event.
    mutating func take(_ event: BuildEvent) {
        switch event {
        case .queued(let position): enter("waiting", position == 0 ? "next in line" : "\(position) ahead in line")
        case .machine(let message): enter("machine", message)
        case .detect(let message): enter("source", message)
        case .initialize(let message): enter("inputs", message)
        case .build(let line): takeLine(line)
        case .provenance(let message): enter("provenance", message)
        case .attest(let message): enter("evidence", message)
        case .complete: enter("complete", "")
        }
    }

    /// Says that something else is going on.
    mutating func enter(_ phase: String, _ detail: String) {
        self.phase = phase
        self.detail = Console.plain(detail)
    }

    private mutating func takeLine(_ line: String) {
        let text = Console.plain(line)
        if text.drop(while: { $0 == " " }).hasPrefix("Compiling ") { crates += 1 }
        tail = (tail + [text]).suffix(Self.tailLength)
        enter("build", text.drop { $0 == " " }.description)
    }

    /// One line of at most `width` characters: phase, time, crates, and what is going on.
    func line(elapsed: Duration, width: Int) -> String {
        let count = Self.counted(crates).map { "  \($0)" } ?? ""
        let line = "\(phase)  \(elapsed.minutesAndSeconds)\(count)  \(detail)".replacing("\t", with: " ")
        return line.count < width ? line : line.prefix(max(1, width - 2)) + "…"
    }

    /// `1 crate`, `7 crates`; `nil` for none.
    static func counted(_ crates: Int) -> String? {
        crates > 0 ? "\(crates) \(crates == 1 ? "crate" : "crates")" : nil
    }

    /// The event as one line of plain text; the build's own lines stay as they are.
    static func plainLine(_ event: BuildEvent) -> String {
        switch event {
        case .queued(let position): "queued: position \(position)"
        case .machine(let message): "machine: \(Console.plain(message))"
        case .detect(let message): "detect: \(Console.plain(message))"
        case .initialize(let message): "init: \(Console.plain(message))"
        case .build(let line): Console.plain(line)
        case .provenance(let message): "provenance: \(Console.plain(message))"
        case .attest(let message): "attest: \(Console.plain(message))"
        case .complete(nil): "complete"
        case .complete(let failure?): "failed: \(failure.kind.rawValue)"
        }
    }
}

extension Duration {
    /// `m:ss`.
    var minutesAndSeconds: String {
        let seconds = components.seconds
        return "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
    }
}
