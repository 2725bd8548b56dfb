// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import ByteCoding
import Testing

@Suite struct MetricsTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]

    /// Submits, and waits for the build's end as the database knows it.
    private static func build(_ service: TestService, _ fields: [String: String] = git) async throws {
        let id = try await service.client.submit(fields).jobID
        _ = try await service.client.send("GET", "/build/\(id)/events")
        while try await service.value("cupel_builds_running") != "0" { await Task.yield() }
    }

    @Test func namesAndHelpCannotEndALine() {
        let sample = MetricFamily.Sample(labels: [("path", "a\"b\\c\nd")], value: 1.5)
        let family = MetricFamily("m", .gauge, "one\ntwo \\ \"three\"", [sample])
        #expect(
            family.text == "# HELP m one\\ntwo \\\\ \"three\"\n# TYPE m gauge\nm{path=\"a\\\"b\\\\c\\nd\"} 1.5\n")
    }

    @Test(arguments: [
        (0.0, "0"), (1e15, "1000000000000000"), (-3, "-3"), (.infinity, "+Inf"), (0.1, "0.1"), (1e300, "1e+300"),
    ])
    func numbersAreWrittenAsPrometheusReadsThem(number: Double, text: String) {
        #expect(MetricFamily("m", .gauge, "h", [.init(value: number)]).text.hasSuffix("\nm \(text)\n"))
    }

    @Test func everyOutcomeIsCountedAndThereFromTheStart() async throws {
        try await TestService.run(runner: TestRunners.fail) { service in
            #expect(try await service.value("cupel_builds_ended_total{outcome=\"ok\"}") == "0")
            #expect(try await service.value("cupel_builds_ended_total{outcome=\"BuildError\"}") == "0")
            try await Self.build(service)
            try await Self.build(service)
            #expect(try await service.value("cupel_builds_ended_total{outcome=\"ok\"}") == "0")
            #expect(try await service.value("cupel_builds_ended_total{outcome=\"BuildError\"}") == "2")
            #expect(try await service.value("cupel_build_duration_seconds_count{result=\"failed\"}") == "2")
            #expect(try await service.value("cupel_build_duration_seconds_count{result=\"ok\"}") == "0")
            #expect(try await service.value("cupel_queue_wait_seconds_count") == "2")
            #expect(try await service.value("cupel_jobs_accepted_total") == "2")
            #expect(try await service.value("cupel_jobs_kept") == "2")
        }
    }

    @Test func phasesAreMeasuredByTheEventsThatBeginThem() async throws {
        let runner: TestRunner = { build in
            try? build.log.append([.detect("cargo"), .initialize("Verifying build inputs"), .build("one")])
            try? build.log.append([.build("two"), .initialize("no way back"), .provenance("p")])
            return BuildFailure(.provenance, "it ends here")
        }
        try await TestService.run(runner: runner) { service in
            try await Self.build(service)
            for (phase, count) in [("detect", 1), ("init", 1), ("build", 1), ("provenance", 1), ("attest", 0)] {
                let sample = "cupel_build_phase_duration_seconds_count{phase=\"\(phase)\"}"
                #expect(try await service.value(sample) == "\(count)", "\(phase)")
                let all = "cupel_build_phase_duration_seconds_bucket{phase=\"\(phase)\",le=\"+Inf\"}"
                #expect(try await service.value(all) == "\(count)", "\(phase)")
            }
            #expect(try await service.value("cupel_build_events_total") == "6")
        }
    }

    @Test func jobsInLineAndBuildsThatRunAreShown() async throws {
        let gate = Gate()
        let runner: TestRunner = { _ in
            try? await gate.wait()
            return nil
        }
        try await TestService.run({ $0.queueLength = 7 }, runner: runner) { service in
            for _ in 0..<3 { _ = try await service.client.submit(Self.git) }
            while try await service.value("cupel_builds_running") != "1" { await Task.yield() }
            #expect(try await service.value("cupel_queue_jobs") == "2")
            #expect(try await service.value("cupel_queue_capacity_jobs") == "7")
            #expect(try await service.value("cupel_builds_running_limit") == "1")
            gate.open()
            while try await service.value("cupel_builds_ended_total{outcome=\"ok\"}") != "3" { await Task.yield() }
            #expect(try await service.value("cupel_queue_jobs") == "0")
        }
    }

    @Test func cancelledJobsAreCountedWhetherTheyWaitedOrRan() async throws {
        let gate = Gate()
        let runner: TestRunner = { _ in
            try? await gate.wait()
            return BuildFailure(.cancelled, "it was told to end")
        }
        try await TestService.run(runner: runner) { service in
            let client = service.client
            let running = try await client.submit(Self.git).jobID
            while try await service.value("cupel_builds_running") != "1" { await Task.yield() }
            let waiting = try await client.submit(Self.git).jobID
            #expect(try await client.send("DELETE", "/build/\(waiting)").status == 200)
            #expect(try await service.value("cupel_builds_ended_total{outcome=\"CancelledError\"}") == "1")
            #expect(try await service.value("cupel_queue_jobs") == "0")
            #expect(try await client.send("DELETE", "/build/\(running)").status == 200)
            #expect(try await service.value("cupel_builds_ended_total{outcome=\"CancelledError\"}") == "2")
            let labels = "route=\"/build/{id}\",method=\"DELETE\",status=\"200\""
            #expect(try await service.value("cupel_http_requests_total{\(labels)}") == "2")
        }
    }

    @Test func requestsAreCountedByTemplateNeverByWhatTheClientWrote() async throws {
        try await TestService.run { service in
            let client = service.client
            try await Self.build(service)
            _ = try await client.send("GET", "/build/\(String(repeating: "0", count: 32))")
            _ = try await client.send("GET", "/build/no\"id")
            _ = try await client.send("GET", "/no/such\"path")
            _ = try await client.send("PROPFIND", "/health")
            _ = try await client.send("HEAD", "/health")
            _ = try await client.submit(["nonce": "xyz"])
            for (labels, count) in [
                ("route=\"/build\",method=\"POST\",status=\"202\"", 1),
                ("route=\"/build\",method=\"POST\",status=\"400\"", 1),
                ("route=\"/build/{id}\",method=\"GET\",status=\"404\"", 2),
                ("route=\"/build/{id}/events\",method=\"GET\",status=\"200\"", 1),
                ("route=\"none\",method=\"GET\",status=\"404\"", 1),
                ("route=\"none\",method=\"other\",status=\"405\"", 1),
                ("route=\"/health\",method=\"HEAD\",status=\"200\"", 1),
            ] {
                #expect(try await service.value("cupel_http_requests_total{\(labels)}") == "\(count)", "\(labels)")
            }
            let text = try await client.send("GET", "/metrics").text
            #expect(!text.contains("such") && !text.contains("PROPFIND") && !text.contains("no\\\"id"))
        }
    }

    @Test func bytesAreCounted() async throws {
        try await TestService.run { service in
            let client = service.client
            let upload = [UInt8](repeating: 7, count: 5000)
            let id = try await client.submit(["nonce": "ab", "source_data": Base64.encode(upload)]).jobID
            let stream = try await client.send("GET", "/build/\(id)/events")
            let result = try await client.send("GET", "/build/\(id)/result")
            let part = try await client.send("GET", "/build/\(id)/result", headers: ["range": "bytes=0-3"])
            #expect(part.status == 206)
            #expect(try await service.value("cupel_upload_received_bytes_total") == "5000")
            #expect(try await service.value("cupel_event_streams_total") == "1")
            #expect(try await service.value("cupel_event_stream_sent_bytes_total") == "\(stream.body.count)")
            #expect(
                try await service.value("cupel_result_sent_bytes_total") == "\(result.body.count + part.body.count)")
        }
    }

    @Test func readersAndConnectionsComeAndGo() async throws {
        let gate = Gate()
        let runner: TestRunner = { _ in
            try? await gate.wait()
            return nil
        }
        try await TestService.run(runner: runner) { service in
            let id = try await service.client.submit(Self.git).jobID
            try await service.client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "queued")
                #expect(try await service.value("cupel_event_stream_readers") == "1")
                // That of the reader, and the one that asks.
                #expect(try await service.value("cupel_http_connections") == "2")
                gate.open()
                try await stream.readToEnd()
            }
            while try await service.value("cupel_event_stream_readers") != "0" { await Task.yield() }
            while try await service.value("cupel_http_connections") != "1" { await Task.yield() }
        }
    }

    @Test func theMachineIsShown() async throws {
        try await TestService.run { service in
            for name in [
                "cupel_data_folder_free_bytes", "cupel_data_folder_free_inodes", "process_resident_memory_bytes",
                "process_open_fds", "process_max_fds",
            ] {
                let text = try await service.value(name)
                #expect(text.flatMap { Int($0) } ?? 0 > 0, "\(name)")
            }
            #expect(try await service.value("cupel_build_info{version=\"test\"}") == "1")
            let start = try await service.value("process_start_time_seconds")
            #expect(start.flatMap { Double($0) } ?? 0 > 1.7e9)
        }
    }

    @Test func machinesAreCounted() async throws {
        let metrics = Metrics()
        try await TestService.run(metrics: metrics) { (service: TestService) async throws -> Void in
            for place in ["here", "vm", "sandbox"] {
                #expect(try await service.value("cupel_isolation_info{isolation=\"\(place)\"}") == "0")
            }
            metrics.chose(.machine)
            metrics.machineBooted(after: .seconds(3))
            metrics.machineBooted(after: .seconds(40))
            metrics.machineFailed()
            metrics.spareMachines(2)
            metrics.machineTaken()
            metrics.machineTaken()
            metrics.machineEnded()
            #expect(try await service.value("cupel_isolation_info{isolation=\"vm\"}") == "1")
            #expect(try await service.value("cupel_isolation_info{isolation=\"here\"}") == "0")
            #expect(try await service.value("cupel_machines_booted_total") == "2")
            #expect(try await service.value("cupel_machines_failed_total") == "1")
            #expect(try await service.value("cupel_machines_spare") == "2")
            #expect(try await service.value("cupel_machines_busy") == "1")
            #expect(try await service.value("cupel_machine_boot_seconds_bucket{le=\"5\"}") == "1")
            #expect(try await service.value("cupel_machine_boot_seconds_sum") == "43")
        }
    }

    @Test func theyAreNotServedWhereTheOperatorSaysSo() async throws {
        try await TestService.run({ $0.metrics = false }) { service in
            expectRefusal(try await service.client.send("GET", "/metrics"), 404)
            #expect(try await service.client.send("POST", "/metrics").status == 405)
        }
    }
}

extension TestService {
    /// The number behind a sample's name and labels, as the text has it.
    fileprivate func value(_ sample: String) async throws -> String? {
        let reply = try await client.send("GET", "/metrics")
        #expect(reply.status == 200 && reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let line = reply.text.split(separator: "\n").first { $0.hasPrefix("\(sample) ") }
        return line.map { String($0.dropFirst(sample.count + 1)) }
    }
}
