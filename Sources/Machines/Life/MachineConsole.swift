// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Foundation
internal import Synchronization

/// What a machine's serial console says, as lines for people. Whatever a guest writes, this takes little memory: the
/// latest lines are kept.
package final class MachineConsole: Sendable {
    private struct State {
        var lines = LogLines()
        /// Of QEMU itself.
        var errors = LogLines()
        var latest: [String] = []
        var lastOutput: ContinuousClock.Instant
    }

    /// Lines that wait for a reader who is slower than the machine.
    package static let waitingLines = 256
    /// UTF-8 bytes of a line.
    package static let lineLength = 1024
    /// Lines that explain an end.
    package static let latestLines = 8

    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation
    private let state: Mutex<State>

    package init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.waitingLines))
        state = Mutex(State(lastOutput: .now))
    }

    /// Takes output: of the guest's console, or what QEMU has to say.
    package func add(_ bytes: UnsafeRawBufferPointer, isError: Bool) {
        state.withLock { state in
            state.lastOutput = .now
            let lines = isError ? state.errors.lines(from: bytes) : state.lines.lines(from: bytes)
            for line in lines { add(line, to: &state) }
        }
    }

    /// Adds a line of this host's: what it saw of the machine.
    package func note(_ line: String) { state.withLock { add(line, to: &$0) } }

    /// There is no more to come.
    package func end() {
        state.withLock { state in
            for line in [state.lines.finish(), state.errors.finish()].compactMap(\.self) { add(line, to: &state) }
            continuation.finish()
        }
    }

    /// The next line; `nil` after the last.
    package func next() async -> String? {
        var lines = stream.makeAsyncIterator()
        return await lines.next()
    }

    /// When the machine last wrote anything.
    var lastOutput: ContinuousClock.Instant { state.withLock { $0.lastOutput } }

    /// The latest lines, with one that has no end yet.
    package var latest: [String] {
        state.withLock { state in
            var unfinished = state.lines
            return Array(
                (state.latest + [Self.cut(unfinished.finish() ?? "")].filter { !$0.isEmpty }).suffix(Self.latestLines))
        }
    }

    /// A sentence's end that tells what the console said last; empty where it said nothing.
    package var lastWords: String {
        let lines = latest
        return lines.isEmpty ? "" : "; its console said last: \(lines.joined(separator: " | "))"
    }

    private func add(_ line: String, to state: inout State) {
        let line = Self.cut(line)
        guard !line.isEmpty else { return }
        state.latest = Array((state.latest + [line]).suffix(Self.latestLines))
        continuation.yield(line)
    }

    private static func cut(_ line: String) -> String {
        let line = line.trimmingCharacters(in: .whitespaces)
        guard line.utf8.count > lineLength else { return line }
        return String(decoding: line.utf8.prefix(lineLength), as: UTF8.self) + " […]"
    }
}
