// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import SourceTrees

extension BuildService {
    /// What the router needs to know of a connection: who is at its other end, and where it is served.
    private struct Exchange: InitializableFromSource {
        let peer: IPAddress?
        let loop: any EventLoop

        init(source: ApplicationRequestContextSource) {
            // A link-local address has its interface's name at its end.
            let text = source.channel.remoteAddress?.ipAddress?.prefix { $0 != "%" }
            loop = source.channel.eventLoop
            peer = text.flatMap { IPAddress(String($0)) }
        }
    }

    /// Connections that the system may hold before they are accepted.
    private static let backlog = 4096
    /// Seconds that a connection may be silent while a request is being read, or between requests.
    private static let idleSeconds: Int64 = 60
    /// Bytes of one request's target and headers.
    static let maximumHeaderSize = 80 << 10
    static let maximumHeaderCount = 1000

    /// The HTTP server. `onListening` runs with the port before the first request is taken.
    func server(_ router: Router, onListening: @escaping @Sendable (_ port: Int) async -> Void) -> any Service {
        let responder = CallbackResponder<Exchange> { request, exchange in
            try await router.respond(to: request, from: exchange.peer, on: exchange.loop)
        }
        return Application(
            responder: responder, server: Self.channel(uploadLimit: configuration.limits.uploadSize, metrics: metrics),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: Self.backlog),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) }, logger: logger)
    }

    /// HTTP/1.1 that answers `Expect: 100-continue`: clients that upload much ask first, and wait for a second where
    /// nobody tells them to go on.
    private static func channel(uploadLimit: Int64, metrics: Metrics) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let continuing: HTTPChannelHandler.Responder = { request, writer, channel in
                if expectsContinue(request, uploadLimit: uploadLimit) {
                    try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                }
                do {
                    try await responder(request, writer, channel)
                } catch let stream as EventStream {
                    try await stream.take(over: channel)
                    // What is thrown ends the task of this connection, which the stream does not need.
                    throw stream
                }
            }
            let configuration = HTTP1Channel.Configuration(
                idleTimeout: .seconds(idleSeconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: maximumHeaderSize, maxHeaderListSize: maximumHeaderSize,
                    maxHeaderFieldCount: maximumHeaderCount))
            let channel = GatedChannel(base: HTTP1Channel(responder: continuing, configuration: configuration))
            return CountedConnections(channel: channel, metrics: metrics)
        }
    }

    /// Whoever announces more than any form of an upload may have gets the refusal instead.
    private static func expectsContinue(_ request: Request, uploadLimit: Int64) -> Bool {
        guard request.headers[.expect]?.lowercased() == "100-continue" else { return false }
        let declared = request.headers[.contentLength].flatMap { Int64($0) } ?? 0
        return declared / 2 <= uploadLimit
    }
}

/// HTTP/1.1 behind a ``RequestGate``.
private struct GatedChannel: ServerChildChannel {
    let base: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try RequestGate.add(to: channel)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
