// SPDX-License-Identifier: Apache-2.0
import Builds
import StrictJSON
import Synchronization

/// Shows a build while it runs: one live line on a terminal, plain lines elsewhere, JSON lines for machines.
final class BuildProgress: Sendable {
    enum Style { case live, plain, json }

    private struct State {
        var progress = ProgressState()
        var drawn: ContinuousClock.Instant?
    }

    private let style: Style
    private let started = ContinuousClock.now
    private let state = Mutex(State())
    /// Time between two drawings of the live line.
    private static let interval = Duration.milliseconds(100)

    init(json: Bool) {
        style = json ? .json : Console.isTerminal(2) ? .live : .plain
    }

    /// Runs `body` while the live line shows the time.
    func during<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let ticker = Task { [self] in
            while style == .live, !Task.isCancelled {
                draw(atOnce: false)
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        defer {
            ticker.cancel()
            if style == .live { Console.write("\r\u{1B}[K", to: 2) }
        }
        return try await body()
    }

    var elapsed: Duration { ContinuousClock.now - started }
    var crates: Int { state.withLock { $0.progress.crates } }
    /// The last lines of the build's log.
    var tail: [String] { state.withLock { $0.progress.tail } }

    func show(_ event: BuildEvent) {
        state.withLock { $0.progress.take(event) }
        switch style {
        case .live: draw(atOnce: false)
        case .plain: Console.note(ProgressState.plainLine(event))
        case .json: Console.write(String(decoding: event.wireBytes.dropFirst(6).dropLast(), as: UTF8.self), to: 1)
        }
    }

    /// A step of ours that is no event of the build.
    func enter(_ phase: String, _ detail: String = "") {
        state.withLock { $0.progress.enter(phase, detail) }
        switch style {
        case .live: draw(atOnce: true)
        case .plain: Console.note(detail.isEmpty ? phase : "\(phase): \(detail)")
        case .json: break
        }
    }

    /// A line that stays.
    func note(_ text: String) {
        guard style == .live else { return Console.note(text) }
        Console.write("\r\u{1B}[K\(text)\n", to: 2)
        draw(atOnce: true)
    }

    /// A line for machines; people do not see it.
    func report(_ json: JSONValue) {
        if style == .json { Console.print(json) }
    }

    private func draw(atOnce: Bool) {
        let now = ContinuousClock.now
        let line: String? = state.withLock { state in
            if let drawn = state.drawn, now - drawn < Self.interval, !atOnce { return nil }
            state.drawn = now
            return state.progress.line(elapsed: now - started, width: Console.width)
        }
        if let line { Console.write("\r\u{1B}[K\(line)", to: 2) }
    }
}

/// Events of a build that runs here.
struct ProgressSink: BuildEventSink {
    let progress: BuildProgress

    func append(_ events: [BuildEvent]) throws(BuildFailure) {
        for event in events { progress.show(event) }
    }
}
