// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// One request to a service of this machine's own host, over HTTP/1.0 (RFC 1945): the answer ends where the connection
/// does, and is never in pieces.
struct PlainHTTP {
    /// An IPv4 address.
    let host: String
    let port: UInt16

    /// Seconds for each step.
    private static let patience = 10
    /// Seconds to connect: where there is no such service, packets to its address are lost.
    private static let patienceToConnect = 2
    /// Bytes; a longer answer is refused.
    private static let maximumSize = 1 << 20

    /// The body of a good answer.
    func exchange(
        _ method: String, _ path: String, headers: [String], body: [UInt8]
    ) throws(AttesterError) -> [UInt8] {
        let connection = try connect()
        defer { close(connection) }
        var lines = ["\(method) \(path) HTTP/1.0", "Host: \(host)", "Connection: close"] + headers
        if !body.isEmpty { lines += ["Content-Type: application/json", "Content-Length: \(body.count)"] }
        try send(Array((lines + ["", ""]).joined(separator: "\r\n").utf8) + body, over: connection)
        return try Self.body(of: try receive(from: connection), name: "http://\(host)\(path)")
    }

    private func connect() throws(AttesterError) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw AttesterError(.invalid, "'\(host)' is no IPv4 address")
        }
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connection >= 0 else { throw failed() }
        limit(connection, SO_SNDTIMEO, Self.patienceToConnect)
        limit(connection, SO_RCVTIMEO, Self.patience)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let error = failed()
            close(connection)
            throw error
        }
        return connection
    }

    private func limit(_ connection: Int32, _ option: Int32, _ seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    private func send(_ bytes: [UInt8], over connection: Int32) throws(AttesterError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed() }
            rest = rest.dropFirst(count)
        }
    }

    private func receive(from connection: Int32) throws(AttesterError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed() }
            bytes += chunk[..<count]
            guard bytes.count <= Self.maximumSize else {
                throw AttesterError(.invalid, "\(host) answered with more than \(Self.maximumSize) bytes")
            }
        }
    }

    private func failed() -> AttesterError {
        AttesterError(.failed, "\(host) did not answer: \(String(cString: strerror(errno)))")
    }

    /// What stands after the header of a whole answer with status 200.
    static func body(of answer: [UInt8], name: String) throws(AttesterError) -> [UInt8] {
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw AttesterError(.invalid, "\(name) answered with something that is not HTTP")
        }
        let lines = String(decoding: answer[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let status = lines[0].split(separator: " ", maxSplits: 2)
        guard status.count >= 2, status[0].hasPrefix("HTTP/1.") else {
            throw AttesterError(.invalid, "\(name) answered with something that is not HTTP")
        }
        guard status[1] == "200" else {
            throw AttesterError(.failed, "\(name) answered \(status.dropFirst().joined(separator: " "))")
        }
        let body = Array(answer[end.upperBound...])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "content-length" where Int(parts[1]) != body.count:
                throw AttesterError(.failed, "\(name) answered \(body.count) of \(parts[1]) bytes")
            case "transfer-encoding":
                throw AttesterError(.invalid, "\(name) answered in pieces, which HTTP/1.0 does not have")
            default: continue
            }
        }
        return body
    }
}
