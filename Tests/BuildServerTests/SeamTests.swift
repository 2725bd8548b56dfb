// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Foundation
import NIOCore
import Storage
import Testing

/// Where replay and live meet, and what a stream is when readers are slow, stop or go.
@Suite(.timeLimit(.minutes(10))) struct SeamTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]
    private static let browser = ["accept": "text/event-stream"]
    /// Bytes around which a piece is made another way.
    private static let lengths = [32 << 10, 64 << 10, 256 << 10, (256 << 10) + (32 << 10)]

    /// An event of exactly `size` bytes.
    private static func event(_ size: Int) -> BuildEvent {
        .build(String(repeating: "x", count: size - BuildEvent.build("").wireBytes.count))
    }

    /// Makes the log exactly `length` bytes long, waits, and adds three events more.
    private static func runner(_ length: Int, _ gate: Gate) -> TestRunner {
        { build in
            let rest = length - BuildEvent.queued(position: 0).wireBytes.count
            try? build.log.append([event(rest / 2), event(rest - rest / 2)])
            try? await gate.wait()
            for line in ["a", "b", "c"] { try? build.log.append([.build(line)]) }
            return nil
        }
    }

    private static func plain(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("id: ") }
            .joined(separator: "\n")
    }

    @Test(arguments: lengths, [-2, -1, 0, 1, 2])
    func nothingIsLostOrRepeatedWhereTheReplayEnds(length: Int, more: Int) async throws {
        let gate = Gate()
        try await TestService.run(runner: Self.runner(length + more, gate)) { service in
            let id = try await service.client.submit(Self.git).jobID
            let path = "/build/\(id)/events"
            try await service.client.open(RawClient.request("GET", path)) { stream in
                try await stream.read(until: "x\"}\n\n")
                try await service.client.open(RawClient.request("GET", path, headers: Self.browser)) { numbered in
                    try await numbered.read(until: "x\"}\n\n")
                    gate.open()
                    try await stream.readToEnd()
                    try await numbered.readToEnd()
                    let after = try await service.client.send("GET", path)
                    #expect(after.events.suffix(4).count == 4 && after.events.last?.contains("ok") == true)
                    #expect(try stream.reply().body == after.body)
                    let ids = try numbered.reply().text.split(separator: "\n").filter { $0.hasPrefix("id: ") }
                    #expect(ids == after.events.indices.map { "id: \($0)" })
                    #expect(Self.plain(try numbered.reply().text) == after.text)
                }
            }
        }
    }

    @Test func whatIsSentAfterTheRequestDoesNotDisturbTheStream() async throws {
        let gate = Gate()
        try await TestService.run(runner: Self.runner(1000, gate)) { service in
            let id = try await service.client.submit(Self.git).jobID
            let request = RawClient.request("GET", "/build/\(id)/events", headers: ["connection": "keep-alive"])
            try await service.client.open(request + request + Array("GET /hea".utf8)) { stream in
                try await stream.read(until: "x\"}\n\n")
                try await stream.write("lth HTTP/1.1\r\n\r\n\0\0\0garbage")
                gate.open()
                try await stream.readToEnd()
                #expect(stream.text.hasSuffix("\r\n0\r\n\r\n"))
                #expect(try stream.reply().events.count == 7)
            }
        }
    }

    @Test func aStreamComesAfterTheAnswersBeforeIt() async throws {
        try await TestService.run { service in
            let id = try await service.client.submit(Self.git).jobID
            let first = RawClient.request("GET", "/health", headers: ["connection": "keep-alive"])
            let request = RawClient.request("GET", "/build/\(id)/events")
            try await service.client.open(first + first + request) { stream in
                try await stream.readToEnd()
                let parts = stream.text.components(separatedBy: "HTTP/1.1 200 OK")
                #expect(parts.count == 4 && parts[1].hasSuffix("ok\n") && parts[2].hasSuffix("ok\n"))
                #expect(parts[3].contains("text/event-stream") && parts[3].hasSuffix("0\r\n\r\n"))
            }
        }
    }

    @Test func aReaderThatFallsBehindCatchesUpFromTheFile() async throws {
        let started = Gate()
        let gate = Gate()
        let lines = (0..<3000).map { "\($0) " + String(repeating: "y", count: 4000) }
        let runner: TestRunner = { build in
            try? build.log.append([.build("first")])
            started.open()
            try? await gate.wait()
            for line in lines { try? build.log.append([.build(line)]) }
            return nil
        }
        try await TestService.run(runner: runner) { service in
            let id = try await service.client.submit(Self.git).jobID
            try await started.wait()
            for headers in [[:], Self.browser] {
                try await service.client.open(RawClient.request("GET", "/build/\(id)/events", headers: headers)) {
                    stream in
                    try await stream.read(until: "first")
                    gate.open()
                    // It reads nothing until the build is over.
                    let all = try await service.client.send("GET", "/build/\(id)/events")
                    #expect(all.events.count == lines.count + 3)
                    try await stream.readToEnd()
                    #expect(Self.plain(try stream.reply().text) == all.text)
                }
            }
        }
    }

    @Test func aServiceThatStopsDeliversWhatThereIsAndEndsTheStream() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? build.log.append([.build("last")])
            try? await gate.wait()
            return BuildFailure(.cancelled, "the service stops")
        }
        try await TestService.run({ $0.graceSeconds = 1 }, runner: runner) { service in
            let id = try await service.client.submit(Self.git).jobID
            try await service.client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "last")
                try await service.client.open(RawClient.request("GET", "/build/\(id)/events?from=99")) { ahead in
                    try await ahead.read(until: "\r\n\r\n")
                    await service.shutDown()
                    try await stream.readToEnd()
                    try await ahead.readToEnd()
                    #expect(stream.text.hasSuffix("\n\n\r\n0\r\n\r\n") && ahead.text.hasSuffix("\r\n\r\n0\r\n\r\n"))
                    #expect(try ahead.reply().events.isEmpty)
                    gate.open()
                }
            }
        }
    }
}
