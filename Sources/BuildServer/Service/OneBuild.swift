// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What a service that builds once, such as the one within a single-use machine, has done so far, and when it ends: when
/// its outcome has reached somebody, or when nobody came for too long.
public final class OneBuild: Sendable {
    /// How long the service waits for others; `nil` for ever.
    public struct Patience: Hashable, Sendable {
        /// For a job.
        public var job: Duration?
        /// For somebody who takes the outcome, from the end of the build or from the last byte of a download on.
        public var reader: Duration?

        public init(job: Duration?, reader: Duration?) {
            self.job = job
            self.reader = reader
        }
    }

    /// Why the service ends.
    public enum End: String, Hashable, Sendable {
        /// The result has been downloaded whole, or the end of a failed build's events has been read.
        case delivered
        /// No job came.
        case unused
        /// Nobody took the outcome.
        case forgotten
    }

    private enum Stage: Hashable {
        case free, receiving, building, built
        case over(End)
    }

    private struct State {
        var stage = Stage.free
        /// How often anything has happened.
        var news = 0
        /// Bytes that were sent of the result, from its first on without a gap, for each of its codings.
        var sent: [ResultCoding: Int64] = [:]

        var isOver: Bool { if case .over = stage { true } else { false } }
    }

    /// The form in which a result goes out.
    package enum ResultCoding: Hashable, Sendable { case identity, zstd }

    private let patience: Patience
    private let clock: any Clock<Duration>
    private let state = Mutex(State())
    private let changes: AsyncStream<Int>
    private let change: AsyncStream<Int>.Continuation

    public convenience init(patience: Patience) { self.init(patience: patience, clock: ContinuousClock()) }

    package init(patience: Patience, clock: any Clock<Duration>) {
        self.patience = patience
        self.clock = clock
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Keeps the one place for a job that is about to be received.
    package func claim() throws(Refusal) {
        let isFree = state.withLock { state in
            guard state.stage == .free else { return false }
            move(to: .receiving, &state)
            return true
        }
        if !isFree { throw .takenAlready }
    }

    /// The job was not taken: the place is free again.
    package func giveBack() { move(from: [.receiving], to: .free) }

    /// The job is durable: there will be no other.
    package func take() { move(from: [.receiving], to: .building) }

    /// The job has ended, well or not. It may be over before whoever received it says that it was taken.
    package func finish() { move(from: [.receiving, .building], to: .built) }

    /// A piece of the result was sent.
    package func send(_ piece: Range<Int64>, of size: Int64, as coding: ResultCoding) {
        state.withLock { state in
            let sent = state.sent[coding, default: 0]
            guard piece.lowerBound <= sent else { return }
            state.sent[coding] = max(sent, piece.upperBound)
            move(to: piece.upperBound >= size ? .over(.delivered) : state.stage, &state)
        }
    }

    /// A reader has taken the end of a failed build's events: there is nothing else to fetch.
    package func tellFailure() { move(from: [.building, .built], to: .over(.delivered)) }

    /// Returns when the service shall end; `nil` where the task is cancelled. Only one may wait.
    package func end() async -> End? {
        var timer: Task<Void, Never>?
        defer { timer?.cancel() }
        timer = startTimer(0)
        for await news in changes {
            timer?.cancel()
            timer = startTimer(news)
        }
        return state.withLock { if case .over(let end) = $0.stage { end } else { nil } }
    }

    /// Ends the service where nothing happens before patience is over.
    private func startTimer(_ news: Int) -> Task<Void, Never>? {
        let next: (end: End, limit: Duration?)? = state.withLock { state in
            switch state.stage {
            case .free: (.unused, patience.job)
            case .built: (.forgotten, patience.reader)
            case .receiving, .building, .over: nil
            }
        }
        guard let next, let limit = next.limit else { return nil }
        return Task {
            do { try await clock.sleep(for: limit, tolerance: nil) } catch { return }
            state.withLock { if $0.news == news { move(to: .over(next.end), &$0) } }
        }
    }

    private func move(from stages: Set<Stage>, to stage: Stage) {
        state.withLock { if stages.contains($0.stage) { move(to: stage, &$0) } }
    }

    private func move(to stage: Stage, _ state: inout State) {
        guard !state.isOver else { return }
        state.stage = stage
        state.news += 1
        change.yield(state.news)
        if state.isOver { change.finish() }
    }
}
