// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Builds
import TestServers
import Testing

@Suite struct FollowTests {
    private static let events: [BuildEvent] = [
        .queued(position: 0), .detect("cargo"), .initialize("Verifying build inputs"), .build("   Compiling \"a\""),
        .build("\u{1F600}"), .provenance("Generating provenance"), .attest("Generating attestation"), .complete(nil),
    ]
    private static let wire = events.map { String(decoding: $0.wireBytes, as: UTF8.self) }

    private func follow(_ replies: [[UInt8]], attempts: Int = 3) async throws -> Reading {
        try await reading(attempts: attempts) { count, _ in
            replies.indices.contains(count) ? replies[count] : Reply.status(499, "the script is at its end")
        }
    }

    private func reading(attempts: Int = 3, script: @escaping ScriptedServer.Script) async throws -> Reading {
        var reading = Reading()
        let job = try RemoteJob(id: "j1")
        let body = { (client: BuildClient) async throws in
            do {
                let outcome = try await client.follow(
                    job, onEvent: { reading.events.append($0) }, onInterruption: { reading.interruptions.append($0) })
                reading.outcome = .some(outcome)
            } catch let error as BuildClientError {
                reading.error = error
            }
        }
        let (_, requests) = try await talk(attempts: attempts, body, script: script)
        reading.paths = requests.map { String($0.line.split(separator: " ")[1]) }
        return reading
    }

    struct Reading {
        var events: [BuildEvent] = []
        var interruptions: [Interruption] = []
        var outcome: BuildFailure??
        var error: BuildClientError?
        var paths: [String] = []
    }

    @Test func aWholeStreamIsReadOnce() async throws {
        let reading = try await follow([Reply.stream(Self.wire.joined())])
        #expect(reading.events == Self.events)
        #expect(reading.outcome == .some(.some(nil)))
        #expect(reading.paths == ["/build/j1/events"])
        #expect(reading.interruptions.isEmpty)
    }

    @Test func aStreamThatBreaksAtEveryByteIsTakenUpAfterItsLastWholeEvent() async throws {
        let whole = Self.wire.joined()
        for cut in stride(from: 0, to: whole.utf8.count, by: 7) {
            let part = String(decoding: whole.utf8.prefix(cut), as: UTF8.self)
            let seen = Self.wire.indices.last { Self.wire[..<$0].joined().utf8.count <= cut } ?? 0
            let rest = Self.wire[seen...].joined()
            let reading = try await follow([Reply.stream(part), Reply.stream(rest)])
            #expect(reading.events == Self.events, "cut at \(cut)")
            #expect(reading.paths.last == (seen > 0 ? "/build/j1/events?from=\(seen)" : "/build/j1/events"))
            #expect(reading.interruptions.count == 1)
        }
    }

    /// What the connection still held when it broke may be lost, so the server looks at where the client resumes.
    @Test func aConnectionThatBreaksWithinAChunkedBodyIsTakenUp() async throws {
        let reading = try await reading { count, request in
            let from = request.line.split(separator: "=").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
            guard count == 0 else { return Reply.stream(Self.wire[from...].joined()) }
            let chunk = Self.wire[0] + Self.wire[1]
            let size = String(chunk.utf8.count, radix: 16)
            return Reply.bytes(200, "Transfer-Encoding: chunked\r\n", Array("\(size)\r\n\(chunk)\r\n40\r\ndata".utf8))
        }
        #expect(reading.events == Self.events)
        #expect(reading.paths.count == 2)
        #expect(reading.interruptions.count == 1)
    }

    @Test func anyNumberOfDropsIsSurvivedAsLongAsEachConnectionBringsSomething() async throws {
        let reading = try await follow(Self.wire.map { Reply.stream($0) }, attempts: 1)
        #expect(reading.events == Self.events)
        #expect(reading.interruptions.count == Self.events.count - 1)
    }

    @Test func dropsThatBringNothingComeToAnEnd() async throws {
        let reading = try await follow(Array(repeating: Reply.stream("data: {"), count: 10), attempts: 3)
        #expect(reading.error?.code == .unreachable)
        #expect(reading.paths.count == 4)
    }

    @Test func aServerThatRestartsIsWaitedFor() async throws {
        let busy = Reply.status(503, "draining", headers: "Retry-After: 3\r\n")
        let reading = try await follow([Reply.stream(Self.wire[0]), busy, Reply.stream(Self.wire[1...].joined())])
        #expect(reading.events == Self.events)
        #expect(reading.interruptions.last?.delay == .seconds(3))
        #expect(reading.interruptions.last?.reason.contains("503: draining") == true)
    }

    @Test func aFailedBuildTellsWhy() async throws {
        let failure = BuildFailure(.lockfile, "Cargo.lock is missing")
        let complete = String(decoding: BuildEvent.complete(failure).wireBytes, as: UTF8.self)
        let reading = try await follow([Reply.stream(Self.wire[0] + complete)])
        #expect(reading.outcome == .some(.some(failure)))
    }

    @Test func whatFollowsTheLastEventIsNotRead() async throws {
        let reading = try await follow([Reply.stream(Self.wire.joined() + Self.wire.joined())])
        #expect(reading.events == Self.events)
    }

    @Test func eventsOfAnUnknownTypeAreCountedAndPassedOver() async throws {
        let unknown = "data: {\"type\":\"weather\",\"msg\":\"rain\"}\n\n"
        let reading = try await follow([
            Reply.stream(Self.wire[0] + unknown), Reply.stream(Self.wire[1...].joined()),
        ])
        #expect(reading.events == Self.events)
        #expect(reading.paths.last == "/build/j1/events?from=2")
    }

    @Test(arguments: [(404, BuildClientError.Code.refused), (400, .refused), (301, .refused)])
    func aRefusalIsFinal(status: Int, code: BuildClientError.Code) async throws {
        let reading = try await follow([Reply.status(status, "no such job")])
        #expect(reading.error?.code == code && reading.error?.status == status)
        #expect(reading.error?.message == "the server answered \(status): no such job")
        #expect(reading.paths.count == 1)
    }

    @Test func anEventThatIsNoJSONIsFinal() async throws {
        let reading = try await follow([Reply.stream("data: {not json}\n\n")])
        #expect(reading.error?.code == .malformedAnswer)
        #expect(reading.paths.count == 1)
    }

    @Test func whoWantsNoMoreIsReadToNoFurther() async throws {
        var seen: [BuildEvent] = []
        let job = try RemoteJob(id: "j1")
        let body = { (client: BuildClient) async throws -> BuildClientError? in
            do {
                _ = try await client.follow(
                    job,
                    onEvent: { event throws(BuildClientError) in
                        seen.append(event)
                        if seen.count == 3 { throw BuildClientError(.stopped, "enough") }
                    })
                return nil
            } catch {
                return error as? BuildClientError
            }
        }
        let (error, requests) = try await talk([Reply.stream(Self.wire.joined())], body)
        #expect(error == BuildClientError(.stopped, "enough"))
        #expect(seen == Array(Self.events.prefix(3)) && requests.count == 1)
    }

    @Test func aServerThatIsNotThereIsTriedAndGivenUp() async throws {
        let server = try await ScriptedServer { _, _ in [] }
        let address = try server.address
        try await server.stop()
        var interruptions = 0
        await #expect { () async throws -> Void in
            try await BuildClient.with(address, schedule: RetrySchedule(attempts: 2), clock: InstantClock()) { client in
                _ = try await client.follow(
                    RemoteJob(id: "j1"), onEvent: { _ in }, onInterruption: { _ in interruptions += 1 })
            }
        } throws: {
            let error = $0 as? BuildClientError
            return error?.code == .unreachable && error?.message == "no connection: Connection refused (\(address))"
        }
        #expect(interruptions == 2)
    }
}
