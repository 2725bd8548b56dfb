// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
public import Builds
import ByteCoding
import NIOCore
import NIOHTTP1
import StrictJSON

extension BuildClient {
    /// Reads the events of `job` from the first one to its end, each exactly once and in order, over as many connections
    /// as it takes. Returns `nil` where the build succeeded, otherwise why it failed.
    ///
    /// Events of a type that this client does not know are passed over. The next event is read when `onEvent` has
    /// returned; what it throws ends the reading.
    public func follow(
        _ job: RemoteJob, onEvent: (BuildEvent) async throws(BuildClientError) -> Void,
        onInterruption: (Interruption) -> Void = { _ in }
    ) async throws(BuildClientError) -> BuildFailure? {
        var reading = StreamReading()
        var schedule = schedule
        while true {
            let error: BuildClientError
            do throws(BuildClientError) {
                if case .some(let outcome) = try await read(job, &reading, onEvent) { return outcome }
                error = BuildClientError(.unreachable, "the stream ended before the build did (\(address))")
            } catch let failure {
                error = failure
            }
            if reading.madeProgress { schedule.madeProgress() }
            try await pause(after: error, &schedule, onInterruption)
        }
    }

    /// One connection's part of the stream; `nil` where it ended without the last event.
    private func read(
        _ job: RemoteJob, _ reading: inout StreamReading,
        _ onEvent: (BuildEvent) async throws(BuildClientError) -> Void
    ) async throws(BuildClientError) -> BuildFailure?? {
        let from = reading.count > 0 ? "?from=\(reading.count)" : ""
        reading.beginConnection()
        let response = try await send(request("/build/\(job.id)/events\(from)"), expecting: [200])
        do {
            for try await piece in response.body {
                for event in try reading.events(in: piece) {
                    try await onEvent(event)
                    if case .complete(let outcome) = event { return .some(outcome) }
                }
            }
            return nil
        } catch let error as MalformedBytes {
            throw BuildClientError(.malformedAnswer, "the server's event stream cannot be read: \(error)")
        } catch {
            throw broken(error)
        }
    }
}

/// How far a stream has been read, over several connections.
struct StreamReading {
    /// Whole events so far: where the next connection resumes.
    private(set) var count = 0
    /// Whether this connection brought anything, if only a comment.
    var madeProgress: Bool { parser.lines > 0 }
    private var parser = ServerSentEventParser()

    /// Forgets the event that the last connection left unfinished.
    mutating func beginConnection() {
        parser = ServerSentEventParser()
    }

    mutating func events(in piece: ByteBuffer) throws -> [BuildEvent] {
        let texts = try piece.withUnsafeReadableBytes { try parser.events(in: $0) }
        count += texts.count
        return try texts.compactMap { BuildEvent(json: try JSONValue(parsing: $0)) }
    }
}
