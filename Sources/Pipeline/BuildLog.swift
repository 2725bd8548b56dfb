// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import ByteCoding
internal import Synchronization

/// The log of a build phase: each line becomes an event, and a line of `build.log` whose digest stands in the
/// provenance. The digest is kept in memory, so that nothing on disk can change it.
final class BuildLog: Sendable {
    private struct State {
        var lines = LogLines()
        var digest = Digest256.Stream()
        let file: OpenFile
    }

    private let state: Mutex<State>
    private let events: any BuildEventSink

    init(path: String, events: any BuildEventSink) throws(BuildFailure) {
        state = Mutex(State(file: try OpenFile(creating: path, mode: 0o600)))
        self.events = events
    }

    /// Takes output as it comes; returns when its whole lines are kept.
    func append(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        try state.withLock { (state) throws(BuildFailure) in
            try keep(state.lines.lines(from: bytes), in: &state)
        }
    }

    func append(_ bytes: [UInt8]) throws(BuildFailure) {
        guard !bytes.isEmpty else { return }
        try state.withLock { (state) throws(BuildFailure) in
            try keep(bytes.withUnsafeBytes { state.lines.lines(from: $0) }, in: &state)
        }
    }

    /// Ends the line that was begun, and returns the digest of `build.log` so far.
    func endLine() throws(BuildFailure) -> Digest256 {
        try state.withLock { (state) throws(BuildFailure) in
            if let line = state.lines.finish() { try keep([line], in: &state) }
            return state.digest.digest
        }
    }

    private func keep(_ lines: [String], in state: inout State) throws(BuildFailure) {
        guard !lines.isEmpty else { return }
        try events.append(lines.map(BuildEvent.build))
        var text: [UInt8] = []
        for line in lines {
            text.append(contentsOf: line.utf8)
            text.append(0x0A)
        }
        state.digest.update(text)
        try state.file.write(text)
    }
}
