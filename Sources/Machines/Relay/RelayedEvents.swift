// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import Synchronization

/// The events of one build in a machine on their way to the log: the machine's, what its console says, and what the host
/// says of it. They come from several tasks and go on one at a time.
package final class RelayedEvents: Sendable {
    /// Bytes of one line of the console that are shown.
    private static let lineLength = 400
    /// Lines that are kept for the message of a machine that ends.
    private static let keptLines = 12
    /// Bytes of any message but a log line's, which is never longer than ``LogLines/maximumLength``.
    private static let messageLength = 64 << 10

    private struct State {
        var shownLines = 0
        var hasBegun = false
        /// The machine has sent events of its own.
        var isBuilding = false
        var lastLines: [String] = []
        /// What is to be said once the machine has begun with its inputs.
        var note: BuildEvent?
    }

    private let events: any BuildEventSink
    private let consoleLines: Int
    private let state: Mutex<State>

    package init(_ events: any BuildEventSink, attempt: Int, consoleLines: Int) {
        self.events = events
        self.consoleLines = consoleLines
        var state = State()
        if attempt > 1 {
            state.note = .initialize("The service stopped during attempt \(attempt - 1); the build has started afresh")
        }
        self.state = Mutex(state)
    }

    /// Whether it is too late for another machine.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// A machine has taken the build.
    func begin() { state.withLock { $0.hasBegun = true } }

    /// The latest lines of the console.
    package var lastLines: [String] { state.withLock { $0.lastLines } }

    /// An event of the host's own.
    func append(_ event: BuildEvent) throws(BuildFailure) {
        try state.withLock { (_) throws(BuildFailure) in try events.append([event]) }
    }

    /// What goes on with the machine. A log that is full is found out by the next event of the build.
    func say(_ text: String) { try? append(.machine(Self.plain(text) ?? "")) }

    /// A line of the console: the first ones become events as long as the build itself says nothing, since the API has
    /// what a machine does before that; the last ones are kept.
    package func console(_ line: String) {
        guard let line = Self.plain(line), !line.isEmpty else { return }
        state.withLock { state in
            state.lastLines = Array((state.lastLines + [line]).suffix(Self.keptLines))
            guard !state.isBuilding, state.shownLines <= consoleLines else { return }
            state.shownLines += 1
            let isLast = state.shownLines > consoleLines
            try? events.append([.machine(isLast ? "console: further lines are not shown" : "console: \(line)")])
        }
    }

    /// An event of the machine's. Throws `MachineError` for one that no agent of ours sends, and where the log takes no
    /// more, what it says.
    package func relay(_ event: BuildEvent) throws(BuildFailure) {
        try Self.check(event)
        try state.withLock { (state) throws(BuildFailure) in
            state.isBuilding = true
            try events.append([event])
            guard case .initialize = event, let note = state.note else { return }
            state.note = nil
            try events.append([note])
        }
    }

    private static func check(_ event: BuildEvent) throws(BuildFailure) {
        switch event {
        case .build(let line):
            guard LogLines.isLine(line) else {
                throw BuildFailure(.machine, "the machine sent a line of a build's log that is none")
            }
        case .machine(let text), .initialize(let text), .detect(let text), .provenance(let text), .attest(let text):
            guard text.utf8.count <= messageLength else {
                throw BuildFailure(.machine, "the machine sent an event of more than \(messageLength) bytes")
            }
        case .queued, .complete: return
        }
    }

    /// One line without what a terminal would obey, cut where it is long; `nil` where nothing is left.
    private static func plain(_ text: String) -> String? {
        var lines = LogLines()
        var bytes = Array(text.utf8)
        bytes.removeAll { $0 == 0x0A || $0 == 0x0D }
        let line = bytes.withUnsafeBytes { lines.lines(from: $0) }.first ?? lines.finish()
        guard let line, line.utf8.count > lineLength else { return line }
        var end = line.utf8.index(line.startIndex, offsetBy: lineLength)
        while end.samePosition(in: line.unicodeScalars) == nil { end = line.utf8.index(before: end) }
        return line[..<end] + " […]"
    }
}
