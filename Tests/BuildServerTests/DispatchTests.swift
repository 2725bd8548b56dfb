// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Storage
import StrictJSON
import Synchronization
import Testing

@Suite struct DispatchTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]

    /// A build that waits at the gate.
    private static func waiting(at gate: Gate) -> TestRunner {
        { build in
            do {
                try await gate.wait()
                return nil
            } catch {
                return BuildFailure(.cancelled, "stopped")
            }
        }
    }

    @Test func waitingJobsAreToldTheirPlacesAsTheyMove() async throws {
        let gate = Gate()
        try await TestService.run(runner: Self.waiting(at: gate)) { service in
            let client = service.client
            var ids: [String] = []
            for _ in 0..<4 { ids.append(try await client.submit(Self.git).jobID) }
            gate.open()
            let last = try await client.send("GET", "/build/\(ids[3])/events").events
            #expect(last.dropLast() == [2, 1, 0].map { "{\"type\":\"queued\",\"position\":\($0)}" }[...])
            let second = try await client.send("GET", "/build/\(ids[1])/events").events
            #expect(second.dropLast() == ["{\"type\":\"queued\",\"position\":0}"])
        }
    }

    @Test func noMoreBuildsRunThanMay() async throws {
        let counts = Mutex((now: 0, most: 0, slots: Set<Int>()))
        let runner: TestRunner = { build in
            counts.withLock { counts in
                counts.now += 1
                counts.most = max(counts.most, counts.now)
                counts.slots.insert(build.slot)
            }
            await Task.yield()
            counts.withLock { $0.now -= 1 }
            return nil
        }
        try await TestService.run({ $0.concurrency = 3 }, runner: runner) { service in
            let client = service.client
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        let id = try await client.submit(Self.git).jobID
                        #expect(try await client.send("GET", "/build/\(id)/events").events.last?.contains("ok") == true)
                    }
                }
                try await group.waitForAll()
            }
        }
        counts.withLock { #expect($0.most <= 3 && $0.slots.isSubset(of: [0, 1, 2])) }
    }

    @Test func aFullQueueSaysWhenToTryAgain() async throws {
        let gate = Gate()
        try await TestService.run({ $0.queueLength = 1 }, runner: Self.waiting(at: gate)) { service in
            let client = service.client
            let running = try await client.submit(Self.git).jobID
            #expect(try await client.submit(Self.git).status == 202)
            let refused = try await client.submit(Self.git)
            expectRefusal(refused, 503)
            #expect(Int(refused.headers["retry-after"] ?? "") != nil)
            gate.open()
            _ = try await client.send("GET", "/build/\(running)/events")
            var reply = try await client.submit(Self.git)
            while reply.status == 503 { reply = try await client.submit(Self.git) }
            #expect(reply.status == 202)
        }
    }

    @Test func aStoppingServiceTakesNoJobsAndLetsBuildsEnd() async throws {
        let gate = Gate()
        try await TestService.run(runner: Self.waiting(at: gate)) { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            let waits = try await client.submit(Self.git).jobID
            try await client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "queued")
                await service.shutDown()
                var reply = try await client.submit(Self.git)
                while reply.status == 202 { reply = try await client.submit(Self.git) }
                expectRefusal(reply, 503)
                #expect(reply.text.contains("stopping") && Int(reply.headers["retry-after"] ?? "") != nil)
                gate.open()
                try await stream.readToEnd()
                #expect(try stream.reply().events.last == #"{"type":"complete","result":{"status":"ok"}}"#)
            }
            let job = try #require(JobID(waits))
            #expect(try await service.store.job(job)?.state == .queued)
        }
    }

    @Test func aBuildThatOutlivesTheGraceIsBuiltByTheNextRun() async throws {
        let folder = TestFolder()
        let never = Gate()
        let storage = try TestStorage(folder.path, isDurable: true)
        var id = ""
        try await TestService.run(over: storage, { $0.graceSeconds = 0 }, runner: Self.waiting(at: never)) { service in
            id = try await service.client.submit(Self.git).jobID
            try await service.client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "queued")
                await service.shutDown()
                try await stream.readToEnd()
                #expect(stream.text.hasSuffix("0\r\n\r\n"), "the stream did not end properly")
                #expect(!stream.text.contains("complete"))
            }
        }
        let job = try await storage.store.job(try #require(JobID(id)))
        #expect(job?.state == .queued && job?.attempt == 0)
        try await TestService.run(over: storage) { service in
            let events = try await service.client.send("GET", "/build/\(id)/events").events
            #expect(events.prefix(2).allSatisfy { $0 == #"{"type":"queued","position":0}"# })
            #expect(events.count == 5 && events.last == #"{"type":"complete","result":{"status":"ok"}}"#)
            #expect(try await service.client.send("GET", "/build/\(id)/result").body == TestRunners.result)
        }
    }

    /// Jobs as a service leaves them that is killed: one that ran, and two that waited.
    private func killed(attempts: Int, _ storage: TestStorage) async throws -> [JobID] {
        var ids: [JobID] = []
        for number in 0..<3 {
            let id = JobID(high: 5, low: UInt64(number))
            let source = GitSource(url: try GitURL("https://example.com/a"), ref: nil)
            let position = max(0, number - 1)
            _ = try storage.logs.create(id, source: nil, position: position)
            let request = BuildRequest(nonce: try Nonce(hex: "ab"), source: .git(source))
            try await storage.store.accept(StoredJob(id: id, request: request, position: position))
            ids.append(id)
        }
        for _ in 0..<attempts { _ = try await storage.store.markRunning(ids[0]) }
        return ids
    }

    @Test(arguments: [true, false]) func jobsOutliveAKilledServiceInOrder(isDurable: Bool) async throws {
        let folder = TestFolder()
        let storage = try TestStorage(folder.path, isDurable: isDurable)
        let ids = try await killed(attempts: 1, storage)
        let order = Mutex<[JobID]>([])
        let runner: TestRunner = { build in
            order.withLock { $0.append(build.job.id) }
            #expect(build.job.attempt == (build.job.id == ids[0] ? 2 : 1))
            return nil
        }
        try await TestService.run(over: storage, runner: runner) { service in
            let last = try await service.client.send("GET", "/build/\(ids[2])/events").events
            #expect(last.dropLast() == [1, 0].map { "{\"type\":\"queued\",\"position\":\($0)}" }[...])
            let first = try await service.client.send("GET", "/build/\(ids[0])/events").events
            #expect(first.last?.contains("ok") == true)
        }
        #expect(order.withLock { $0 } == ids)
    }

    @Test func aBuildThatWasInterruptedTwiceEnds() async throws {
        let folder = TestFolder()
        let storage = try TestStorage(folder.path, isDurable: true)
        let ids = try await killed(attempts: 2, storage)
        try await TestService.run(over: storage) { service in
            let events = try await service.client.send("GET", "/build/\(ids[0])/events").events
            #expect(events.last?.contains(#""error_type":"InterruptedError""#) == true)
            let state = try await service.client.send("GET", "/build/\(ids[0])").json
            #expect(state?["status"] == "failed" && state?["error_type"] == "InterruptedError")
        }
    }
}
