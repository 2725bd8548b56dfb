// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import HTTPTypes
import SourceTrees
import StrictJSON
import Testing

@Suite struct ClientLimitsTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]
    private let now = ContinuousClock.now

    private func client(_ number: Int) throws -> Client {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        return Client(try #require(IPAddress(bytes: bytes)))
    }

    private func limits(jobs: Int = 2, submissions: Int = 100, readers: Int = 2) -> ClientLimits {
        var settings = ClientSettings()
        (settings.jobs, settings.submissions, settings.readers) = (jobs, submissions, readers)
        return ClientLimits(settings)
    }

    @Test func eachClientHasItsOwnJobsUntilTheyEnd() throws {
        let limits = limits()
        let (one, two) = (try client(1), try client(2))
        for number: UInt64 in 0..<2 { try limits.submit(one, now: now).take(for: JobID(high: 1, low: number)) }
        let error = #expect(throws: Refusal.self) { try limits.submit(one, now: now) }
        #expect(error?.status == .tooManyRequests && error?.headers[.retryAfter] == "30")
        #expect(throws: Never.self) { try limits.submit(two, now: now) }
        limits.ended(JobID(high: 1, low: 0))
        limits.ended(JobID(high: 1, low: 0))
        let place = try limits.submit(one, now: now)
        #expect(throws: Refusal.self) { try limits.submit(one, now: now) }
        _ = place
    }

    @Test func aSubmissionThatComesToNothingGivesItsPlaceBack() throws {
        let limits = limits(jobs: 1)
        for _ in 0..<5 { _ = try limits.submit(try client(1), now: now) }
    }

    @Test func aRepeatedSubmissionCountsTowardsTheRateOnly() throws {
        let limits = limits(jobs: 1, submissions: 3)
        let one = try client(1)
        try limits.submit(one, now: now).take(for: JobID(high: 1, low: 0))
        for _ in 0..<2 { try limits.again(one, now: now) }
        let error = #expect(throws: Refusal.self) { try limits.again(one, now: now) }
        #expect(error?.status == .tooManyRequests)
        limits.ended(JobID(high: 1, low: 0))
        #expect(throws: Refusal.self) { try limits.submit(one, now: now) }
        for _ in 0..<100 { try limits.again(nil, now: now) }
    }

    @Test func aReaderGivesItsSeatBack() throws {
        let limits = limits()
        var seats = try (0..<2).map { _ in try limits.read(try client(1)) }
        let error = #expect(throws: Refusal.self) { try limits.read(try client(1)) }
        #expect(error?.status == .tooManyRequests && error?.headers[.retryAfter] == "10")
        seats.removeLast()
        #expect(throws: Never.self) { try limits.read(try client(1)) }
    }

    @Test func thisMachineHasNoLimits() throws {
        let limits = limits(jobs: 1, submissions: 1, readers: 1)
        let places = try (0..<100).map { _ in try limits.submit(nil, now: now) }
        let seats = try (0..<100).map { _ in try limits.read(nil) }
        #expect(places.count + seats.count == 200 && limits.count == 0)
    }

    @Test func submissionsAreCountedOverAMinuteThatSlides() throws {
        let limits = limits(submissions: 4)
        let one = try client(1)
        for _ in 0..<4 { _ = try limits.submit(one, now: now) }
        let error = #expect(throws: Refusal.self) { try limits.submit(one, now: now + .seconds(20)) }
        #expect(error?.status == .tooManyRequests && error?.headers[.retryAfter] == "41")
        // The minute before counts for what the last 60 seconds cover of it.
        let refused = #expect(throws: Refusal.self) { try limits.submit(one, now: now + .seconds(61)) }
        let wait = try #require(refused?.headers[.retryAfter].flatMap { Int($0) })
        #expect((13...15).contains(wait))
        #expect(throws: Never.self) { try limits.submit(one, now: now + .seconds(61 + wait)) }
        #expect(throws: Refusal.self) { try limits.submit(one, now: now + .seconds(61 + wait)) }
        for _ in 0..<4 { _ = try limits.submit(one, now: now + .seconds(500)) }
    }

    @Test func whatIsRememberedOfManyClientsIsBounded() throws {
        let limits = limits(submissions: 1)
        for number in 0..<100_000 {
            _ = try limits.submit(try client(number), now: now)
            _ = try limits.read(try client(number))
        }
        #expect(limits.count <= 2 * SubmissionRate.capacity)
        // The latest are known.
        #expect(throws: Refusal.self) { try limits.submit(try client(99_999), now: now) }
    }

    /// A service that believes the header of its clients' proxy, which is the test.
    private func behindProxy(
        _ settings: @escaping (inout ClientSettings) -> Void, runner: @escaping TestRunner = TestRunners.succeed,
        _ use: (RawClient) async throws -> Void
    ) async throws {
        try await TestService.run(
            {
                $0.clients.addressHeader = "X-Forwarded-For"
                settings(&$0.clients)
            }, runner: runner
        ) { service in try await use(service.client) }
    }

    private func submit(_ client: RawClient, as address: String, key: String? = nil) async throws -> RawClient.Reply {
        let body = JSONValue.object(Self.git.mapValues { .string($0) }).canonicalBytes
        var headers = ["content-type": "application/json", "x-forwarded-for": address]
        headers["idempotency-key"] = key
        return try await client.send("POST", "/build", headers: headers, body: body)
    }

    @Test func jobsOfAClientAreLimitedUntilTheyEndOrAreCancelled() async throws {
        let gate = Gate()
        let runner: TestRunner = { _ in
            do {
                try await gate.wait()
                return nil
            } catch {
                return BuildFailure(.cancelled, "stopped")
            }
        }
        try await behindProxy({ $0.jobs = 2 }, runner: runner) { client in
            let first = try await submit(client, as: "192.0.2.1").jobID
            let second = try await submit(client, as: "192.0.2.1").jobID
            let refused = try await submit(client, as: "192.0.2.1")
            expectRefusal(refused, 429)
            #expect(refused.headers["retry-after"] == "30" && refused.text.contains("client.jobs"))
            // A client cannot pass itself off as another.
            expectRefusal(try await submit(client, as: "8.8.8.8, 192.0.2.1"), 429)
            #expect(try await submit(client, as: "192.0.2.2").status == 202)
            for _ in 0..<5 { #expect(try await client.submit(Self.git).status == 202) }
            for id in [first, second] {
                #expect(try await client.send("DELETE", "/build/\(id)").status == 200)
                #expect(try await submit(client, as: "192.0.2.1").status == 202)
            }
            expectRefusal(try await submit(client, as: "192.0.2.1"), 429)
            gate.open()
        }
    }

    @Test func aClientWithAllItsPlacesTakenGetsItsOwnJobAgain() async throws {
        let gate = Gate()
        let runner: TestRunner = { _ in
            try? await gate.wait()
            return nil
        }
        try await behindProxy({ ($0.jobs, $0.submissions) = (1, 4) }, runner: runner) { client in
            let job = try await submit(client, as: "192.0.2.1", key: "k").jobID
            expectRefusal(try await submit(client, as: "192.0.2.1", key: "other"), 429)
            for _ in 0..<2 { #expect(try await submit(client, as: "192.0.2.1", key: "k").jobID == job) }
            let refused = try await submit(client, as: "192.0.2.1", key: "k")
            expectRefusal(refused, 429)
            #expect(refused.text.contains("client.submissions"))
            gate.open()
        }
    }

    @Test func whatIsRefusedForItselfTakesNoPlace() async throws {
        try await behindProxy({ $0.jobs = 1 }) { client in
            for _ in 0..<3 {
                let headers = ["content-type": "application/json", "x-forwarded-for": "192.0.2.1"]
                expectRefusal(try await client.send("POST", "/build", headers: headers, body: Array("{}".utf8)), 400)
            }
            #expect(try await submit(client, as: "192.0.2.1").status == 202)
        }
    }

    @Test func streamsAndDownloadsOfAClientAreLimitedWhileTheyAreOpen() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? await gate.wait()
            return await TestRunners.succeed(build)
        }
        try await behindProxy({ $0.readers = 1 }, runner: runner) { client in
            let path = "/build/\(try await client.submit(Self.git).jobID)"
            let headers = ["x-forwarded-for": "192.0.2.1"]
            try await client.open(RawClient.request("GET", path + "/events", headers: headers)) { stream in
                try await stream.read(until: "queued")
                for place in ["/events", "/result"] {
                    let refused = try await client.send("GET", path + place, headers: headers)
                    expectRefusal(refused, 429)
                    #expect(refused.headers["retry-after"] == "10")
                }
                #expect(try await client.send("GET", path, headers: headers).status == 200)
                gate.open()
                try await stream.readToEnd()
            }
            var reply = try await client.send("GET", path + "/result", headers: headers)
            while reply.status == 429 { reply = try await client.send("GET", path + "/result", headers: headers) }
            #expect(reply.body == TestRunners.result)
        }
    }

    @Test func aReaderThatGoesAwayGivesItsSeatBack() async throws {
        let gate = Gate()
        let runner: TestRunner = { _ in
            try? await gate.wait()
            return nil
        }
        try await behindProxy({ $0.readers = 1 }, runner: runner) { client in
            let path = "/build/\(try await client.submit(Self.git).jobID)/events"
            let request = RawClient.request("GET", path, headers: ["x-forwarded-for": "192.0.2.1"])
            for _ in 0..<3 {
                // The one before may not have been missed yet.
                var isOpen = false
                while !isOpen {
                    isOpen = try await client.open(request) { stream in
                        try await stream.read(until: "\r\n\r\n")
                        return stream.text.hasPrefix("HTTP/1.1 200")
                    }
                }
            }
            gate.open()
        }
    }
}
