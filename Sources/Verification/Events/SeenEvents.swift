// SPDX-License-Identifier: Apache-2.0
public import Builds

/// The events of a build as its requester saw them, as far as a bundle can confirm them: the lines of its log.
///
/// The `msg` of each `build` event is one line of `build.log`, byte for byte, and there is an event for each line: both
/// are made of the same lines, after those that are long were cut (``LogLines``). An attempt begins with a `detect`
/// event; the bundle is that of the last one. A build whose log exceeds its limit has no bundle.
public struct SeenEvents: Hashable, Sendable {
    /// The `build` events of the last attempt.
    public let log: LogSummary
    /// Lines of attempts before it, which a stop of the service ended: no bundle has them.
    public let earlierLines: Int
    /// How the build ended; `nil` where the events have no end.
    public let outcome: BuildFailure??

    /// Events being read, in their order.
    public struct Stream: Sendable {
        private var log = LogSummary.Stream()
        private var lines = 0
        private var earlierLines = 0
        private var outcome: BuildFailure??

        public init() {}

        /// Takes the next event. Nothing follows the end of a build: what does is taken for no end.
        public mutating func take(_ event: BuildEvent) {
            switch event {
            case .detect:
                earlierLines += lines
                (log, lines) = (LogSummary.Stream(), 0)
            case .build(let line):
                log.append(line: line)
                lines += 1
            case .complete(let failure): outcome = outcome == nil ? .some(failure) : .some(Self.twice)
            case .queued, .machine, .initialize, .provenance, .attest: break
            }
        }

        private static var twice: BuildFailure { BuildFailure(.internal, "the build ended twice") }

        public var seen: SeenEvents {
            SeenEvents(log: log.summary, earlierLines: earlierLines, outcome: outcome)
        }
    }
}
