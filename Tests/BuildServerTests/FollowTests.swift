// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Storage
import StrictJSON
import Testing

@Suite struct FollowTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]
    private static let lines = (0..<5000).map { "line \($0) " + String(repeating: "x", count: 40) }

    /// A build that prints ``lines``.
    private static let talkative: TestRunner = { build in
        for line in lines { try? build.log.append([.build(line)]) }
        return nil
    }

    @Test func aStreamIsTheLogsOwnBytes() async throws {
        try await TestService.run(runner: Self.talkative) { service in
            let id = try await service.client.submit(Self.git).jobID
            let stream = try await service.client.send("GET", "/build/\(id)/events")
            let events = [BuildEvent.queued(position: 0)] + Self.lines.map(BuildEvent.build) + [.complete(nil)]
            #expect(stream.status == 200 && stream.body == events.flatMap(\.wireBytes))
            #expect(stream.headers["content-type"] == "text/event-stream")
            #expect(stream.headers["cache-control"] == "no-store")
            #expect(stream.headers["x-accel-buffering"] == "no")
            let again = try await service.client.send("GET", "/build/\(id)/events")
            #expect(again.body == stream.body)
        }
    }

    /// A number that no log reaches, the last that is taken.
    private static let beyond = ["9223372036854775807"]

    @Test func aReaderStartsWhereItSays() async throws {
        try await TestService.run(runner: Self.talkative) { service in
            let client = service.client
            let path = "/build/\(try await client.submit(Self.git).jobID)/events"
            let all = try await client.send("GET", path).events
            let counts = [0, 1, 2, 300, all.count - 1, all.count, all.count + 10_000]
            for (from, skipped) in counts.map({ ("\($0)", $0) }) + Self.beyond.map({ ($0, all.count) }) {
                let rest = try await client.send("GET", "\(path)?from=\(from)")
                #expect(rest.status == 200 && rest.events == Array(all.dropFirst(skipped)), "from=\(from)")
            }
        }
    }

    @Test(arguments: ["-1", "abc", "1.5", "9223372036854775808", "1e3", "%20", "", "1&from=2"])
    func aStartThatIsNoNumberIsRefused(from: String) async throws {
        try await TestService.run { service in
            let id = try await service.client.submit(Self.git).jobID
            expectRefusal(try await service.client.send("GET", "/build/\(id)/events?from=\(from)"), 400)
        }
    }

    @Test func browsersGetIDsAndResumeAfterThem() async throws {
        try await TestService.run(runner: Self.talkative) { service in
            let client = service.client
            let path = "/build/\(try await client.submit(Self.git).jobID)/events"
            let accept = ["accept": "text/html, text/event-stream;q=0.9"]
            let all = try await client.send("GET", path, headers: accept)
            let ids = all.text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.compactMap {
                Int($0.dropFirst(4))
            }
            #expect(ids == Array(0..<all.events.count))
            let resume = accept.merging(["last-event-id": "4000"]) { $1 }
            let rest = try await client.send("GET", "\(path)?from=3", headers: resume)
            #expect(rest.events == Array(all.events.dropFirst(4001)) && rest.text.hasPrefix("id: 4001\ndata: "))
            let wrong = accept.merging(["last-event-id": "x"]) { $1 }
            expectRefusal(try await client.send("GET", path, headers: wrong), 400)
        }
    }

    @Test func eventsArriveWhileTheBuildRuns() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? build.log.append([.build("before")])
            try? await gate.wait()
            return nil
        }
        try await TestService.run(runner: runner) { service in
            let id = try await service.client.submit(Self.git).jobID
            try await service.client.open(RawClient.request("GET", "/build/\(id)/events?from=1")) { stream in
                try await stream.read(until: "before")
                #expect(!stream.text.contains("complete"))
                gate.open()
                try await stream.readToEnd()
                #expect(try stream.reply().events.count == 2)
            }
        }
    }

    @Test func aStartBeyondTheEndWaitsForItsEvent() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? await gate.wait()
            try? build.log.append([.build("one"), .build("two"), .build("three")])
            return nil
        }
        try await TestService.run(runner: runner) { service in
            let id = try await service.client.submit(Self.git).jobID
            try await service.client.open(RawClient.request("GET", "/build/\(id)/events?from=3")) { stream in
                try await stream.read(until: "\r\n\r\n")
                gate.open()
                try await stream.readToEnd()
                #expect(try stream.reply().events.map { $0.contains("three") } == [true, false])
            }
        }
    }

    @Test func aSilentStreamIsKeptAlive() async throws {
        let gate = Gate()
        try await TestService.run(
            { $0.keepAliveSeconds = 1 },
            runner: { _ in
                try? await gate.wait()
                return nil
            }
        ) { service in
            let id = try await service.client.submit(Self.git).jobID
            try await service.client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: ": keep-alive\n\n")
                gate.open()
                try await stream.readToEnd()
                #expect(try stream.reply().events.count == 2)
            }
        }
    }

    @Test func manyReadersSeeTheSame() async throws {
        try await TestService.run(runner: Self.talkative) { service in
            let client = service.client
            let path = "/build/\(try await client.submit(Self.git).jobID)/events"
            let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<24 { group.addTask { try await client.send("GET", path).body } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(bodies.count == 24 && Set(bodies).count == 1)
        }
    }

    @Test func whatIsNotThereLooksTheSameEverywhere() async throws {
        try await TestService.run(runner: TestRunners.fail) { service in
            let client = service.client
            let id = try await client.submit(Self.git).jobID
            let failed = try await client.send("GET", "/build/\(id)/events").events.last
            #expect(
                failed
                    == #"{"type":"complete","result":{"status":"failed","error":"it does not compile","error_type":"BuildError"}}"#
            )
            let unknown = JobID(high: 1, low: 2).text
            let paths = [
                "/build/\(id)/result", "/build/\(unknown)/result", "/build/\(unknown)/events", "/build/\(unknown)",
                "/build/nope/events", "/build/%2e%2e%2f%2e%2e%2fetc%2fpasswd/events", "/nope", "/",
                "/build/" + String(repeating: "a", count: 4000) + "/events",
            ]
            var answers: Set<String> = []
            for path in paths {
                let reply = try await client.send("GET", path)
                expectRefusal(reply, 404)
                answers.insert(reply.text)
            }
            #expect(answers.count == 1)
        }
    }

    @Test func theStateOfAJobIsToldAsJSON() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? await gate.wait()
            return build.slot == 0 ? nil : BuildFailure(.build, "no")
        }
        try await TestService.run(runner: runner) { service in
            let client = service.client
            let first = try await client.submit(Self.git).jobID
            let second = try await client.submit(Self.git).jobID
            #expect(try await client.send("GET", "/build/\(first)").json?["status"] == "running")
            let queued = try await client.send("GET", "/build/\(second)").json
            #expect(queued?["status"] == "queued" && queued?["position"] == 0 && queued?["events"] == 1)
            gate.open()
            _ = try await client.send("GET", "/build/\(second)/events")
            let done = try await client.send("GET", "/build/\(second)").json
            #expect(done?["status"] == "ok" && done?["job_id"] == .string(second) && done?["attempt"] == 1)
        }
    }

    @Test func otherMethodsAndTheSmallPathsAnswer() async throws {
        try await TestService.run { service in
            let client = service.client
            let health = try await client.send("GET", "/health")
            #expect(health.status == 200 && health.text == "ok\n")
            let put = try await client.send("PUT", "/build", body: [])
            expectRefusal(put, 405)
            #expect(put.headers["allow"] == "POST")
            let description = try await client.send("GET", "/openapi.json")
            #expect(description.json?["openapi"] == "3.1.0")
            let head = try await client.send("HEAD", "/openapi.json")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-length"] == "\(description.body.count)")
        }
    }

    /// A body after HEAD would be read as the next answer.
    @Test func refusalsOfHeadHaveNoBody() async throws {
        try await TestService.run { service in
            for (path, status) in [("/none", 404), ("/build/none", 404), ("/build", 405)] {
                let refused = try await service.client.send("HEAD", path)
                #expect(refused.status == status && refused.body.isEmpty, "\(path)")
            }
        }
    }
}
