// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Testing

@Suite struct OneBuildTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]
    private static let forEver = OneBuild.Patience(job: nil, reader: nil)

    private static func run(
        _ patience: OneBuild.Patience = forEver, clock: any Clock<Duration> = ContinuousClock(),
        runner: @escaping TestRunner = TestRunners.succeed, _ use: (TestService) async throws -> Void
    ) async throws {
        try await TestService.run(oneBuild: OneBuild(patience: patience, clock: clock), runner: runner, use)
    }

    @Test func theSecondBuildIsRefused() async throws {
        try await Self.run { service in
            let client = service.client
            #expect(try await client.submit(Self.git).status == 202)
            let second = try await client.submit(Self.git)
            expectRefusal(second, 409)
            #expect(second.text.contains("builds once"))
            #expect(try await client.send("GET", "/health").status == 200)
        }
    }

    @Test func manyAtOnceAreOneBuild() async throws {
        try await Self.run { service in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await service.client.submit(Self.git).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [202] + Array(repeating: 409, count: 19))
        }
    }

    @Test func aRepeatedSubmissionIsTheSameJob() async throws {
        try await Self.run { service in
            let headers = ["content-type": "application/json", "idempotency-key": "k"]
            let body = Array(#"{"nonce":"ab","repo_url":"https://example.com/a/project.git"}"#.utf8)
            let first = try await service.client.send("POST", "/build", headers: headers, body: body)
            let again = try await service.client.send("POST", "/build", headers: headers, body: body)
            #expect(first.status == 202 && again.status == 202 && first.jobID == again.jobID)
        }
    }

    @Test func whatIsRefusedDoesNotTakeThePlace() async throws {
        try await Self.run { service in
            expectRefusal(try await service.client.submit(["nonce": "no hex"]), 400)
            #expect(try await service.client.submit(Self.git).status == 202)
        }
    }

    @Test func theServiceEndsWhenTheResultHasBeenDownloaded() async throws {
        try await Self.run { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            #expect(try await client.send("GET", "/build/\(id)/events").events.last?.contains("ok") == true)
            #expect(try await client.send("HEAD", "/build/\(id)/result").status == 200)
            let part = try await client.send("GET", "/build/\(id)/result", headers: ["range": "bytes=4-"])
            #expect(part.status == 206)
            // It still serves: what was asked so far is not the whole.
            #expect(try await client.send("GET", "/build/\(id)/result").body == TestRunners.result)
            try await service.ended()
        }
    }

    @Test func partsWithoutAGapAreTheWhole() async throws {
        try await Self.run { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            _ = try await client.send("GET", "/build/\(id)/events")
            for part in ["0-3", "2-5", "6-"] {
                let reply = try await client.send("GET", "/build/\(id)/result", headers: ["range": "bytes=\(part)"])
                #expect(reply.status == 206)
            }
            try await service.ended()
        }
    }

    @Test func theServiceEndsWhenAFailureHasBeenRead() async throws {
        try await Self.run(runner: TestRunners.fail) { service in
            let id = try await service.client.submit(Self.git).jobID
            #expect(try await service.client.send("GET", "/build/\(id)/events").events.last?.contains("failed") == true)
            try await service.ended()
        }
    }

    @Test func theServiceEndsWhereNobodySubmits() async throws {
        let patience = OneBuild.Patience(job: .seconds(600), reader: nil)
        try await Self.run(patience, clock: InstantClock()) { service in try await service.ended() }
    }

    @Test func theServiceEndsWhereNobodyFetches() async throws {
        let patience = OneBuild.Patience(job: nil, reader: .seconds(600))
        try await Self.run(patience, clock: InstantClock()) { service in
            #expect(try await service.client.submit(Self.git).status == 202)
            try await service.ended()
        }
    }

    @Test func patienceForAJobIsOverWhenOneHasCome() async throws {
        let (gate, clock) = (Gate(), HeldClock())
        let runner: TestRunner = { build in
            try? await gate.wait()
            return await TestRunners.succeed(build)
        }
        let patience = OneBuild.Patience(job: .seconds(600), reader: nil)
        try await Self.run(patience, clock: clock, runner: runner) { service in
            let id = try await service.client.submit(Self.git).jobID
            clock.gate.open()
            gate.open()
            _ = try await service.client.send("GET", "/build/\(id)/events")
            #expect(try await service.client.send("GET", "/build/\(id)/result").status == 200)
            try await service.ended()
        }
    }

    /// A job is in line, and may be over, before its receiver goes on.
    @Test(.timeLimit(.minutes(1))) func anEndBeforeTheJobCountsAsTakenIsNotLost() async throws {
        let patience = OneBuild.Patience(job: nil, reader: .seconds(600))
        let once = OneBuild(patience: patience, clock: InstantClock())
        try once.claim()
        once.finish()
        once.take()
        #expect(await once.end() == .forgotten)
        #expect(throws: Refusal.takenAlready) { try once.claim() }
    }

    @Test func oneFormOfTheResultWithoutAGapIsTheWhole() async throws {
        let once = OneBuild(patience: OneBuild.Patience(job: .seconds(1), reader: .seconds(1)), clock: HeldClock())
        try once.claim()
        once.take()
        once.finish()
        once.send(0..<5, of: 10, as: .identity)
        once.send(5..<10, of: 10, as: .zstd)
        once.send(6..<10, of: 10, as: .identity)
        async let end = once.end()
        #expect(throws: Refusal.takenAlready) { try once.claim() }
        once.send(5..<10, of: 10, as: .identity)
        #expect(await end == .delivered)
    }
}

/// A clock whose sleeps are over at once.
private struct InstantClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}

/// A clock whose sleeps are over when its gate opens.
private struct HeldClock: Clock {
    let gate = Gate()
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws { try await gate.wait() }
}
