// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

/// Answers connections to a loopback port, one after the other, each with the next text, and keeps what was asked.
final class ScriptedService: Sendable {
    let port: UInt16
    private let received = Mutex<[String]>([])

    init(_ answers: [String]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) | listen(listener, 8) | getsockname(listener, $0, &size)
            }
        }
        try #require(status == 0)
        port = UInt16(bigEndian: address.sin_port)
        Thread {
            for answer in answers { self.answer(accept(listener, nil, nil), answer) }
            close(listener)
        }.start()
    }

    var requests: [String] { received.withLock { $0 } }

    /// Reads a request whole: its header, and the body that it announces.
    private func answer(_ connection: Int32, _ answer: String) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !Self.isWhole(bytes), case let count = recv(connection, &chunk, chunk.count, 0), count > 0 {
            bytes += chunk[..<count]
        }
        received.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        _ = Array(answer.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        close(connection)
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
        let header = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let length = header.components(separatedBy: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        return bytes.count - end.upperBound >= length.flatMap { Int($0.dropFirst(16)) } ?? 0
    }
}
