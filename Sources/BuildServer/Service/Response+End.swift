// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// Runs `end` with the size of the body that was sent, once the whole of it was, or it was broken off. An event
    /// stream takes that along to whoever sends it.
    func atEnd(_ end: @escaping @Sendable (_ bytes: Int) -> Void) -> Response {
        let body = self.body
        var watched = self
        watched.body = ResponseBody(contentLength: body.contentLength) { writer in
            let sent = Counter()
            do {
                try await body.write(CountingWriter(writer: writer, sent: sent))
            } catch let stream as EventStream {
                throw stream.atEnd(end)
            } catch {
                end(sent.current)
                throw error
            }
            end(sent.current)
        }
        return watched
    }
}

/// Counts what goes through it.
private struct CountingWriter: ResponseBodyWriter {
    var writer: any ResponseBodyWriter
    let sent: Counter

    mutating func write(_ buffer: ByteBuffer) async throws {
        try await writer.write(buffer)
        sent.add(buffer.readableBytes)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
}
