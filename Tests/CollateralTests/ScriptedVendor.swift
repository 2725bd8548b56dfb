// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A server on a real socket, in place of the vendors' services. It gives one reply to each request and then closes the
/// connection, or never answers.
final class ScriptedVendor: Sendable {
    /// The bytes of a reply to a request, given how many came before it; `nil` stays silent.
    typealias Script = @Sendable (Int, Request) -> [UInt8]?

    struct Request: Sendable {
        let head: String

        /// Path and query.
        var target: String { head.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

        func header(_ name: String) -> String? {
            let lines = head.split(separator: "\r\n").dropFirst()
            let found = lines.first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
            return found.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    private let script: Script
    private let received: Mutex<[Request]> = Mutex([])
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    init(_ script: @escaping Script) async throws {
        self.script = script
        let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Conversation { [self] in answer($0) })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        channel.withLock { $0 = listening }
    }

    var requests: [Request] { received.withLock { $0 } }
    var targets: [String] { requests.map(\.target) }

    var address: String {
        get throws { "http://127.0.0.1:\(try #require(channel.withLock { $0?.localAddress?.port }))" }
    }

    func stop() async throws {
        try await channel.withLock { $0 }?.close()
    }

    private func answer(_ request: Request) -> [UInt8]? {
        let count = received.withLock { received in
            received.append(request)
            return received.count - 1
        }
        return script(count, request)
    }
}

/// Replies as bytes.
enum Reply {
    static func status(_ status: Int, _ headers: String = "") -> [UInt8] {
        bytes(status, "Content-Length: 4\r\n\(headers)", Array("nope".utf8))
    }

    static func body(_ body: [UInt8], _ headers: String = "") -> [UInt8] {
        bytes(200, "Content-Length: \(body.count)\r\n\(headers)", body)
    }

    static func bytes(_ status: Int, _ headers: String, _ body: [UInt8]) -> [UInt8] {
        Array("HTTP/1.1 \(status) x\r\nConnection: close\r\n\(headers)\r\n".utf8) + body
    }
}

/// Waits for the head of one request, writes the reply, closes.
private final class Conversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: @Sendable (ScriptedVendor.Request) -> [UInt8]?
    private var received: [UInt8] = []
    private var isAnswered = false

    init(answer: @escaping @Sendable (ScriptedVendor.Request) -> [UInt8]?) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        guard !isAnswered, received.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return }
        isAnswered = true
        guard let reply = answer(ScriptedVendor.Request(head: String(decoding: received, as: UTF8.self))) else {
            return
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)))
            .whenComplete { _ in channel.close(promise: nil) }
    }
}
