// SPDX-License-Identifier: Apache-2.0
package import BuildClient
import NIOCore
import NIOPosix
import Synchronization

/// A server on a real socket that gives one reply to each request and then closes the connection, wherever the reply
/// stands: in the middle of an event or a file.
package final class ScriptedServer: Sendable {
    /// The bytes of a reply to a request, given how many came before it.
    package typealias Script = @Sendable (Int, Request) -> [UInt8]

    package struct Request: Sendable {
        package let head: String
        package let body: [UInt8]

        package var line: String { String(head.prefix { $0 != "\r\n" }) }

        package func header(_ name: String) -> String? {
            let lines = head.split(separator: "\r\n").dropFirst()
            let found = lines.first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
            return found.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    private let script: Script
    private let closes: Bool
    private let received: Mutex<[Request]> = Mutex([])
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    /// - Parameter closes: whether connections are closed after a reply; else they stay open and silent.
    package init(closes: Bool = true, _ script: @escaping Script) async throws {
        self.script = script
        self.closes = closes
        let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Conversation(closes: closes) { [self] in answer($0) })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        channel.withLock { $0 = listening }
    }

    package var requests: [Request] { received.withLock { $0 } }

    package var address: ServerAddress {
        get throws { try ServerAddress("http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)") }
    }

    package func stop() async throws {
        try await channel.withLock { $0 }?.close()
    }

    private func answer(_ request: Request) -> [UInt8] {
        let count = received.withLock { received in
            received.append(request)
            return received.count - 1
        }
        return script(count, request)
    }
}

/// Replies as bytes.
package enum Reply {
    package static func status(_ status: Int, _ error: String, headers: String = "") -> [UInt8] {
        let body = "{\"status\":\"failed\",\"error\":\"\(error)\",\"error_type\":\"InvalidRequestError\"}"
        return json(status, body, headers: headers)
    }

    package static func json(_ status: Int, _ body: String, headers: String = "") -> [UInt8] {
        bytes(status, "Content-Length: \(body.utf8.count)\r\n\(headers)", Array(body.utf8))
    }

    /// A stream that ends where `text` ends.
    package static func stream(_ text: String) -> [UInt8] {
        bytes(200, "Content-Type: text/event-stream\r\n", Array(text.utf8))
    }

    package static func bytes(_ status: Int, _ headers: String, _ body: [UInt8]) -> [UInt8] {
        Array("HTTP/1.1 \(status) x\r\nConnection: close\r\n\(headers)\r\n".utf8) + body
    }
}

/// Waits for one whole request, writes the reply, closes.
private final class Conversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: @Sendable (ScriptedServer.Request) -> [UInt8]
    private let closes: Bool
    private var received: [UInt8] = []
    private var bodyStart: Int?
    private var isAnswered = false

    init(closes: Bool, answer: @escaping @Sendable (ScriptedServer.Request) -> [UInt8]) {
        self.closes = closes
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        if bodyStart == nil { bodyStart = endOfHead() }
        guard !isAnswered, let bodyStart else { return }
        let head = String(decoding: received[..<bodyStart], as: UTF8.self)
        let body = Array(received[bodyStart...])
        let request = ScriptedServer.Request(head: head, body: body)
        guard body.count >= request.header("Content-Length").flatMap({ Int($0) }) ?? 0 else { return }
        isAnswered = true
        let channel = context.channel
        let sent = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer(request))))
        if closes { sent.whenComplete { _ in channel.close(promise: nil) } }
    }

    private func endOfHead() -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        let starts = received.indices.dropLast(3)
        return starts.first { received[$0..<$0 + 4].elementsEqual(mark) }.map { $0 + 4 }
    }
}
