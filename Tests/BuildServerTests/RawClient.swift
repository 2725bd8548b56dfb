// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import StrictJSON
import Testing

/// An HTTP/1.1 client that hides nothing: it sends the bytes that a test gives it, and returns those that come back.
struct RawClient: Sendable {
    let port: Int

    /// An answer, transfer coding removed.
    struct Reply: Sendable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue? { try? JSONValue(parsing: body) }
        var jobID: String { json?["job_id"]?.stringValue ?? "none" }
        /// The events of a stream as they stand after `data: `.
        var events: [String] {
            text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
        }
    }

    /// Sends one request on a connection of its own and reads until the server closes it.
    func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8]? = nil
    ) async throws -> Reply {
        try await open(Self.request(method, path, headers: headers, body: body)) { stream in
            try await stream.readToEnd()
            return try stream.reply()
        }
    }

    /// Submits a JSON body made of `fields`.
    func submit(_ fields: [String: String]) async throws -> Reply {
        let body = JSONValue.object(fields.mapValues { .string($0) }).canonicalBytes
        return try await send("POST", "/build", headers: ["content-type": "application/json"], body: body)
    }

    /// Sends `bytes` and hands the connection over; it is closed at the end.
    func open<Value>(
        _ bytes: [UInt8], _ use: (inout Stream) async throws -> Value
    ) async throws -> Value {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var stream = Stream(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await use(&stream)
        }
    }

    static func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8]? = nil
    ) -> [UInt8] {
        var headers = ["host": "test", "connection": "close"].merging(headers) { $1 }
        if let body, headers["content-length"] == nil { headers["content-length"] = "\(body.count)" }
        let lines = headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
        return Array("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n".utf8) + (body ?? [])
    }

    /// What a connection brings, as it comes.
    struct Stream {
        var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private(set) var received: [UInt8] = []

        init(
            inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.inbound = inbound
            self.outbound = outbound
        }

        var text: String { String(decoding: received, as: UTF8.self) }

        mutating func readToEnd() async throws {
            while let piece = try await inbound.next() { received.append(contentsOf: piece.readableBytesView) }
        }

        /// Reads until the answer so far holds `text`; fails where it ends without.
        mutating func read(until text: String) async throws {
            while !self.text.contains(text) {
                let piece = try #require(try await inbound.next(), "the connection ended before '\(text)'")
                received.append(contentsOf: piece.readableBytesView)
            }
        }

        /// Sends more of a request.
        func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

        func reply() throws -> Reply {
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let lines = parts[0].split(separator: "\r\n")
            let status = try #require(Int(lines.first?.split(separator: " ").dropFirst().first ?? ""))
            let pairs = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1) }
            let headers = Dictionary(
                pairs.map { ($0[0].lowercased(), String($0.last?.drop { $0 == " " } ?? "")) }, uniquingKeysWith: { $1 })
            let body = Array(received.dropFirst(parts[0].utf8.count + 4))
            let isChunked = headers["transfer-encoding"] == "chunked"
            return Reply(status: status, headers: headers, body: isChunked ? try Self.unchunked(body) : body)
        }

        private static func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
            var body: [UInt8] = []
            var rest = bytes[...]
            while true {
                let line = rest.prefix { $0 != 0x0D }
                let size = try #require(Int(String(decoding: line, as: UTF8.self), radix: 16))
                rest = rest.dropFirst(line.count + 2)
                if size == 0 { return body }
                try #require(rest.count >= size + 2)
                body += rest.prefix(size)
                rest = rest.dropFirst(size + 2)
            }
        }
    }
}
