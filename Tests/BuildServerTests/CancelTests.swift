// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Foundation
import Storage
import StrictJSON
import Synchronization
import Testing

@Suite struct CancelTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]

    /// A build that says that it runs, and then waits at the gate until it is cancelled.
    private static func endless(at gate: Gate) -> TestRunner {
        { build in
            do {
                try build.log.append([.build("runs")])
                try await gate.wait()
                return nil
            } catch {
                return BuildFailure(.cancelled, "the build was cancelled")
            }
        }
    }

    private func expectCancelled(_ events: [String]) {
        let last = events.last ?? "none"
        #expect(last.contains(#""error_type":"CancelledError""#) && last.contains("cancelled by the requester at 2"))
        #expect(events.count { $0.contains(#""type":"complete""#) } == 1)
    }

    @Test func aBuildThatRunsIsEnded() async throws {
        let gate = Gate()
        try await TestService.run(runner: Self.endless(at: gate)) { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            try await client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "runs")
                let reply = try await client.send("DELETE", "/build/\(id)")
                #expect(reply.status == 200 && reply.json?["status"] == "failed")
                #expect(reply.json?["error_type"] == "CancelledError" && reply.json?["job_id"] == .string(id))
                try await stream.readToEnd()
                expectCancelled(try stream.reply().events)
            }
            let again = try await client.send("DELETE", "/build/\(id)")
            #expect(again.status == 200 && again.json?["error_type"] == "CancelledError")
            expectCancelled(try await client.send("GET", "/build/\(id)/events").events)
            expectRefusal(try await client.send("GET", "/build/\(id)/result"), 404)
            // The slot is free again.
            gate.open()
            let next = try await client.submit(Self.git).jobID
            #expect(try await client.send("GET", "/build/\(next)/events").events.last?.contains("ok") == true)
        }
    }

    @Test func aJobThatWaitsLeavesTheLine() async throws {
        let gate = Gate()
        let built = Mutex<[String]>([])
        let runner: TestRunner = { build in
            built.withLock { $0.append(build.job.id.text) }
            return await Self.endless(at: gate)(build)
        }
        try await TestService.run(runner: runner) { service in
            let client = service.client
            var ids: [String] = []
            for _ in 0..<4 { ids.append(try await client.submit(Self.git).jobID) }
            #expect(try await client.send("DELETE", "/build/\(ids[1])").status == 200)
            let events = try await client.send("GET", "/build/\(ids[1])/events").events
            #expect(events.count == 2 && events.first == #"{"type":"queued","position":0}"#)
            expectCancelled(events)
            #expect(try await client.send("GET", "/build/\(ids[3])").json?["position"] == 1)
            #expect(try await client.send("DELETE", "/build/\(ids[1])").status == 200)
            gate.open()
            for id in [ids[0], ids[2], ids[3]] {
                #expect(try await client.send("GET", "/build/\(id)/events").events.last?.contains("ok") == true)
            }
            #expect(built.withLock { $0 } == [ids[0], ids[2], ids[3]])
        }
    }

    @Test(arguments: [true, false]) func aBuildThatIsOverIsNotCancelled(isGood: Bool) async throws {
        try await TestService.run(runner: isGood ? TestRunners.succeed : TestRunners.fail) { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            let before = try await client.send("GET", "/build/\(id)/events").text
            expectRefusal(try await client.send("DELETE", "/build/\(id)"), 409)
            #expect(try await client.send("GET", "/build/\(id)/events").text == before)
            #expect(try await client.send("GET", "/build/\(id)/result").status == (isGood ? 200 : 404))
        }
    }

    @Test func whatIsNotThereCannotBeCancelled() async throws {
        try await TestService.run { service in
            for id in [JobID(high: 1, low: 2).text, "nope"] {
                expectRefusal(try await service.client.send("DELETE", "/build/\(id)"), 404)
            }
            let put = try await service.client.send("PUT", "/build/\(JobID(high: 1, low: 2))", body: [])
            #expect(put.status == 405 && put.headers["allow"] == "GET, HEAD, DELETE")
        }
    }

    /// Builds that end by themselves at the moment at which they are cancelled, by several at once.
    @Test(arguments: [true, false]) func anEndAndACancelAtOnceGiveOneOutcome(isGood: Bool) async throws {
        let runner: TestRunner = { isGood ? await TestRunners.succeed($0) : await TestRunners.fail($0) }
        try await TestService.run({ $0.concurrency = 2 }, runner: runner) { service in
            let client = service.client
            for _ in 0..<40 {
                let id = try await client.submit(Self.git).jobID
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<3 { group.addTask { try await client.send("DELETE", "/build/\(id)").status } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let events = try await client.send("GET", "/build/\(id)/events").events
                let isCancelled = events.last?.contains("CancelledError") == true
                #expect(Set(statuses) == [isCancelled ? 200 : 409], "\(statuses) \(events)")
                #expect(events.count { $0.contains(#""type":"complete""#) } == 1)
                let state = try await client.send("GET", "/build/\(id)").json
                #expect(state?["status"] == (isGood && !isCancelled ? "ok" : "failed"))
            }
        }
    }

    /// The pipeline may fail by the cancellation in its own way.
    @Test func whatACancelledBuildSaysOfItselfDoesNotMatter() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? build.log.append([.build("runs")])
            try? await gate.wait()
            return BuildFailure(.build, "a command was killed")
        }
        try await TestService.run(runner: runner) { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            try await client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "runs")
                #expect(try await client.send("DELETE", "/build/\(id)").status == 200)
            }
            expectCancelled(try await client.send("GET", "/build/\(id)/events").events)
        }
    }

    @Test func aCancelledBuildIsNotPutBackByAStop() async throws {
        let folder = TestFolder()
        let never = Gate()
        let storage = try TestStorage(folder.path, isDurable: true)
        let ended = Mutex<[String]>([])
        try await TestService.run(over: storage, { $0.graceSeconds = 0 }, runner: Self.endless(at: never)) { service in
            let client = service.client
            let runs = try await client.submit(Self.git).jobID
            let waits = try await client.submit(Self.git).jobID
            try await client.open(RawClient.request("GET", "/build/\(runs)/events")) { stream in
                try await stream.read(until: "runs")
                async let reply = client.send("DELETE", "/build/\(runs)")
                #expect(try await client.send("DELETE", "/build/\(waits)").status == 200)
                await service.shutDown()
                // Where the stop came first, the build is put back in line, and its requester told so.
                let status = try await reply.status
                #expect([200, 503].contains(status))
                ended.withLock { $0 = status == 200 ? [runs, waits] : [waits] }
            }
        }
        try await TestService.run(over: storage, runner: TestRunners.succeed) { service in
            for id in ended.withLock({ $0 }) {
                expectCancelled(try await service.client.send("GET", "/build/\(id)/events").events)
                #expect(try await service.client.send("DELETE", "/build/\(id)").status == 200)
            }
            #expect(try await service.store.unfinished().isEmpty)
        }
    }

    /// As a crash leaves a job between its last event and its row.
    @Test func anAcknowledgedCancelOutlivesACrashBeforeItsRow() async throws {
        let folder = TestFolder()
        let storage = try TestStorage(folder.path, isDurable: true)
        let id = JobID(high: 5, low: 6)
        let source = GitSource(url: try GitURL("https://example.com/a"), ref: nil)
        let log = try storage.logs.create(id, source: nil, position: 0)
        try await storage.store.accept(
            StoredJob(id: id, request: BuildRequest(nonce: try Nonce(hex: "ab"), source: .git(source))))
        try log.append([
            .complete(BuildFailure(.cancelled, "cancelled by the requester at 2026"))
        ])
        try await TestService.run(over: storage) { service in
            expectCancelled(try await service.client.send("GET", "/build/\(id)/events").events)
            #expect(try await service.client.send("DELETE", "/build/\(id)").status == 200)
        }
    }

    @Test func theUploadOfABuildThatIsOverIsGone() async throws {
        let gate = Gate()
        try await TestService.run(runner: Self.endless(at: gate)) { service in
            let client = service.client
            var ids: [JobID] = []
            for _ in 0..<3 {
                let reply = try await client.send(
                    "POST", "/build?nonce=ab&source_name=a.tar.gz", headers: ["content-type": "application/gzip"],
                    body: [0x1F, 0x8B, 8, 0])
                ids.append(try #require(JobID(reply.jobID)))
            }
            func has(_ id: JobID) -> Bool { FileManager.default.fileExists(atPath: service.data.sourcePath(id)) }
            #expect(ids.allSatisfy(has))
            for id in ids.prefix(2) { #expect(try await client.send("DELETE", "/build/\(id)").status == 200) }
            #expect(ids.map(has) == [false, false, true])
            gate.open()
            _ = try await client.send("GET", "/build/\(ids[2])/events")
            // The row is written after the last event.
            while try await service.store.job(ids[2])?.state != .succeeded { await Task.yield() }
        }
    }
}
