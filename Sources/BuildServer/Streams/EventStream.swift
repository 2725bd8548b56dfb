// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import HummingbirdCore
import Storage

/// The answer to "follow this build": every event from one on, then live until the build is complete, in the log's
/// own bytes.
///
/// Only its head is written like that of other answers. The body throws the stream itself, whoever holds the
/// connection gives it that, and from then on the stream has the connection to itself: see ``take(over:)``.
struct EventStream: Error {
    let log: EventLog
    let start: StreamStart
    let readers: Readers
    private let whenTaken: @Sendable () -> Void
    private var ends: [@Sendable (_ bytes: Int) -> Void] = []

    /// `whenTaken` runs when the reader has taken the end of the stream.
    init(log: EventLog, start: StreamStart, readers: Readers, whenTaken: @escaping @Sendable () -> Void = {}) {
        (self.log, self.start, self.readers, self.whenTaken) = (log, start, readers, whenTaken)
    }

    /// The same stream, which runs `end` with the number of bytes that were sent, when its reader has gone.
    func atEnd(_ end: @escaping @Sendable (_ bytes: Int) -> Void) -> EventStream {
        var stream = self
        stream.ends.append(end)
        return stream
    }

    var response: Response {
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no", .connection: "close",
        ]
        return Response(status: .ok, headers: headers, body: ResponseBody { _ in throw self })
    }

    /// Puts a reader next to the connection's socket and takes away what read requests and wrote answers. Returns when
    /// the reader is there; it needs no task. The head of the answer must have been written.
    func take(over channel: any Channel) async throws {
        try await channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let audience = readers.audience(of: log, on: channel.eventLoop)
            let reader = EventReader(audience: audience, start: start, whenTaken: whenTaken, ends: ends)
            do {
                try pipeline.addHandler(reader, position: .first)
            } catch {
                audience.leave(reader)
                for end in ends { end(0) }
                throw error
            }
            Self.remove(ByteToMessageHandler<HTTPRequestDecoder>.self, from: pipeline)
            Self.remove(HTTPResponseEncoder.self, from: pipeline)
            Self.remove(HTTPConnectionStateHandler.self, from: pipeline)
        }.get()
    }

    private static func remove(
        _ type: (some RemovableChannelHandler).Type, from pipeline: ChannelPipeline.SynchronousOperations
    ) {
        guard let handler = try? pipeline.handler(type: type) else { return }
        pipeline.removeHandler(handler, promise: nil)
    }
}

/// What a reader asks for.
struct StreamStart: Sendable {
    /// The first event to send.
    let event: Int
    /// Where that event begins in the log; `nil` where the log has no such event yet.
    let offset: Int?
    /// Whether each event carries its id.
    let isNumbered: Bool
}
