// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import Logging

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
        let status = response.status
        return response.atEnd { bytes in log(request, route, status, bytes: bytes, took: .now - start) }
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
