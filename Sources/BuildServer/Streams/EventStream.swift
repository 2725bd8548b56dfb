// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import NIOCore
import Storage

/// The answer to "follow this build": every event from one on, then live until the build is complete, in the log's
/// own bytes.
struct EventStream: Sendable {
    /// Bytes in one write. What a stalled reader costs is a few of these.
    private static let pieceSize = 64 << 10
    private static let keepAliveComment = ByteBuffer(string: ": keep-alive\n\n")

    let log: EventLog
    /// The first event to send.
    let first: Int
    /// Whether each event carries its id.
    let isNumbered: Bool
    let readers: Readers
    let metrics: Metrics

    func response(to request: Request) -> Response {
        let body = ResponseBody { writer in
            metrics.streamBegan()
            defer { metrics.streamEnded() }
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await readers.with { pulse in try await send(to: &writer, pulse: pulse) }
            }
            try await writer.finish(nil)
        }
        // The connection closes after the stream: noticing that the reader has gone takes the place of reading its
        // next request.
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no", .connection: "close",
        ]
        return Response(status: .ok, headers: headers, body: body)
    }

    private func send(to writer: inout any ResponseBodyWriter, pulse: Pulse) async throws {
        guard var offset = try await start(&writer, pulse) else { return }
        var numbering = EventNumbering(first: first)
        while true {
            let state = log.state
            let piece = try log.read(from: offset, limit: Self.pieceSize)
            guard piece.readableBytes > 0 else {
                // A service that stops still delivers what there is.
                if state.isComplete || pulse.isStopped { return }
                try await wait(beyond: offset, &writer, pulse)
                continue
            }
            try await writer.write(isNumbered ? numbering.number(piece) : piece)
            pulse.wrote()
            metrics.streamBytes.add(piece.readableBytes)
            offset += piece.readableBytes
        }
    }

    /// Where the first event lies; waits until there is one. `nil` where the build ends before.
    private func start(_ writer: inout any ResponseBodyWriter, _ pulse: Pulse) async throws -> Int? {
        while true {
            let state = log.state
            if let offset = try log.offset(ofEvent: first) { return offset }
            if state.isComplete || pulse.isStopped { return nil }
            try await wait(beyond: state.length, &writer, pulse)
        }
    }

    /// Returns when the log is longer than `length`, or a keep-alive has been sent, or the service stops.
    private func wait(beyond length: Int, _ writer: inout any ResponseBodyWriter, _ pulse: Pulse) async throws {
        await pulse.wait { _ = await log.changes(after: length) }
        try Task.checkCancellation()
        guard !pulse.isStopped, pulse.silence >= readers.keepAlive else { return }
        try await writer.write(Self.keepAliveComment)
        pulse.wrote()
    }
}
