// SPDX-License-Identifier: Apache-2.0
import Builds
import Machines
import Synchronization
import TestServers
import Testing

/// A requester who cancels, or a service that stops, at each step of a build: it ends as cancelled, and its machine ends.
@Suite struct RelayCancellationTests {
    @Test func whileAMachineIsWaitedFor() async {
        let (waiting, began) = AsyncStream<Void>.makeStream()
        let bench = RelayBench()
        let build = Task {
            await bench.run { _ throws(MachineError) in
                began.yield()
                do {
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    throw MachineError(.cancelled, "the build was cancelled")
                }
                throw MachineError(.deadline, "nobody cancelled it")
            }
        }
        for await _ in waiting { break }
        build.cancel()
        #expect(await build.value?.kind == .cancelled)
    }

    /// The connection on which that request came stays open, and nothing more comes.
    @Test(arguments: ["POST /build ", "GET /build/j1/events", "GET /build/j1/result "])
    func whileAnAnswerIsWaitedFor(request: String) async throws {
        let (waiting, began) = AsyncStream<Void>.makeStream()
        let agent = ScriptedAgent { found in
            guard found.line.hasPrefix(request) else { return nil }
            began.yield()
            return request.contains("events") ? Reply.stream(ScriptedAgent.wire([.detect("cargo")])) : []
        }
        let bench = RelayBench()
        try await agent.serve(closes: false) { machine in
            let build = Task { await bench.run(machine) }
            for await _ in waiting { break }
            build.cancel()
            #expect(await build.value?.kind == .cancelled)
            #expect(machine.ends >= 1)
        }
        #expect(bench.names == [])
    }

    @Test func inTheMiddleOfTheBuildAfterWhatWasSeen() async throws {
        let (waiting, began) = AsyncStream<Void>.makeStream()
        let sink = JournalSink { if $0 == .build("line") { began.yield() } }
        let bench = RelayBench(sink: sink)
        let events: [BuildEvent] = [.detect("cargo"), .initialize("Verifying build inputs"), .build("line")]
        try await ScriptedAgent(events: events).serve(closes: false) { machine in
            let build = Task { await bench.run(machine) }
            for await _ in waiting { break }
            build.cancel()
            #expect(await build.value == BuildFailure(.cancelled, "the build was cancelled"))
            #expect(machine.ends >= 1 && machine.cuts == 1)
        }
        #expect(sink.ofMachine == events)
    }
}
