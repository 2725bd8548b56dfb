// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Logs each request when its answer has been sent, or was broken off: one line, with the endpoint's path in place of
/// what the client wrote.
struct RequestLog: Sendable {
    let logger: Logger
    let level: Logger.Level

    /// The answer, watched where somebody wants to read of it.
    func watch(
        _ response: Response, to request: Request, _ route: Route, since start: ContinuousClock.Instant
    ) -> Response {
        guard level >= logger.logLevel else { return response }
        let (body, status) = (response.body, response.status)
        var watched = response
        watched.body = ResponseBody(contentLength: body.contentLength) { writer in
            let sent = Counter()
            defer { log(request, route, status, bytes: sent.current, took: .now - start) }
            try await body.write(CountingWriter(writer: writer, sent: sent))
        }
        return watched
    }

    private func log(
        _ request: Request, _ route: Route, _ status: HTTPResponse.Status, bytes: Int, took time: Duration
    ) {
        var facts: Logger.Metadata = [
            "http.method": "\(request.method.rawValue)", "http.route": "\(route.template)",
            "http.status": .stringConvertible(status.code), "http.bytes": .stringConvertible(bytes),
            "http.seconds": .stringConvertible(Double(Int(time / .microseconds(1))) / 1e6),
        ]
        if case .to(_, let id) = route, !id.isEmpty { facts["build.id"] = "\(id)" }
        logger.log(level: level, "Request answered", metadata: facts)
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
