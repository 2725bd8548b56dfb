// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Stands between the reader of HTTP and everything else, one for each connection. Refuses requests whose end or host a
/// proxy in front could understand differently, gives refusals of the reader a body, and closes the connection after
/// the last request that it can serve.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Versions of the requests that have passed and have no answer yet, in order.
    private var unanswered: [HTTPVersion] = []
    /// Set with the last request: after its answer the connection closes.
    private var isLast = false
    /// Nothing of what the peer sends passes any more.
    private var isShut = false
    private var refusal: Refusal?
    /// The body of the last request that passed goes on.
    private var isReading = false
    /// Closes a connection whose request is answered and goes on.
    private var farewell: Scheduled<Void>?

    /// Time for a client that is answered before it has sent all, to see that and to stop.
    private static let patience = TimeAmount.seconds(10)

    /// Puts a gate behind the reader of HTTP. On the channel's event loop, before the channel reads.
    static func add(to channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let reader = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(RequestGate(), position: .after(reader))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isShut else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            if let refusal = Self.refusal(of: head) {
                // What comes after takes this for the reader's own refusal, and answers in turn.
                shut(refusal, context, HTTPParserError.unknown)
            } else {
                pass(head, context)
            }
        case .body: context.fireChannelRead(data)
        case .end:
            isReading = false
            farewell?.cancel()
            context.fireChannelRead(data)
            isShut = isLast
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        farewell?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        guard !isShut else { return }
        shut(error == .headerOverflow ? .headersTooLarge : .notHTTP, context, error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = Self.unwrapOutboundIn(data)
        if case .end = part { answered(context) }
        guard case .head(var head) = part, head.status.code >= 200 else {
            return context.write(data, promise: promise)
        }
        if let refusal, Self.isRefusalOfReader(head) {
            return write(refusal, context, promise)
        }
        // A stream has no length and comes in chunks, which the old version does not know but its clients do.
        if let version = unanswered.first, head.headers.contains(name: "Content-Length") { head.version = version }
        if isLast, unanswered.count == 1 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        if !unanswered.isEmpty { unanswered.removeFirst() }
        context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
    }

    /// Where the peer has closed its side, closing this one closes all, and what waits would be dropped: it goes out first.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: promise) }
        context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: taken)
    }

    private func answered(_ context: ChannelHandlerContext) {
        guard isReading, unanswered.isEmpty else { return }
        farewell = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { context.close(promise: nil) }
    }

    private func pass(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var head = head
        let isOld = head.version == .http1_0
        // The reader stops at an upgrade and at a tunnel, which are answered like other requests.
        isLast = isOld || !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "Upgrade")
        if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        if isOld { head.headers.remove(name: "Expect") }
        isReading = true
        unanswered.append(isOld ? .http1_0 : .http1_1)
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }

    private func shut(_ refusal: Refusal, _ context: ChannelHandlerContext, _ error: HTTPParserError) {
        isShut = true
        self.refusal = refusal
        context.fireErrorCaught(error)
    }

    private func write(_ refusal: Refusal, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let body = ByteBuffer(bytes: refusal.json)
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": "\(body.readableBytes)", "Connection": "close",
        ]
        let status = HTTPResponseStatus(statusCode: refusal.status.code, reasonPhrase: refusal.status.reasonPhrase)
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: promise)
    }

    /// Refusals of the API have a body.
    private static func isRefusalOfReader(_ head: HTTPResponseHead) -> Bool {
        head.status == .badRequest && head.headers["Content-Length"] == ["0"]
    }
}

extension RequestGate {
    /// Why a request is not served whatever its path is; `nil` where it may be. RFC 9112, sections 3.2 and 6.1.
    private static func refusal(of head: HTTPRequestHead) -> Refusal? {
        guard head.version == .http1_1 || head.version == .http1_0 else { return .notHTTP }
        let hosts = head.headers["Host"]
        guard hosts.count == 1 || (hosts.isEmpty && head.version == .http1_0), hosts.allSatisfy(isHost) else {
            return .notOneHost
        }
        let codings = head.headers["Transfer-Encoding"]
        guard codings.isEmpty || (codings.map { $0.lowercased() } == ["chunked"] && head.version == .http1_1) else {
            return .notChunked
        }
        return nil
    }

    /// A name or address and perhaps a port; may be empty.
    private static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !forbidden.contains($0) }
    }

    private static let forbidden = Set("/?#@\\\"<>^`{|}".utf8)
}
