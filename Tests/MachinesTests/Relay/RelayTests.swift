// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Builds
import ByteCoding
import Foundation
import Machines
import Synchronization
import TestServers
import Testing

/// A build that is relayed, with an agent that does its part and one that does not.
@Suite struct RelayTests {
    private static let good = ScriptedAgent.relayed(ScriptedAgent.good)

    @Test func eventsComeInOrderAfterTheHostsAndTheResultAsItWasSent() async throws {
        let result = try MadeResult().bytes()
        let bench = RelayBench()
        try await ScriptedAgent(result: result).serve { machine in
            let failure = await bench.run { report throws(MachineError) in
                report("Booting a machine")
                return machine
            }
            #expect(failure == nil)
            #expect(machine.ends >= 1 && machine.cuts == 1)
        }
        #expect(bench.sink.ofMachine == Self.good)
        #expect(
            bench.sink.events.prefix(3) == [
                .machine("Booting a machine"), .machine("A machine of its own is ready"), .detect("cargo"),
            ])
        #expect(bench.result == result)
        #expect(bench.names == ["result.tar.gz"])
    }

    @Test func theNetworkIsCutBeforeTheFirstLineOfTheBuildIsPassedOn() async throws {
        let sink = JournalSink()
        let seen = Mutex<[BuildEvent]?>(nil)
        let agent = ScriptedAgent(result: try MadeResult().bytes())
        let server = try await ScriptedServer { _, request in agent.answer(request) }
        let machine = StandInMachine(address: try server.address.text) { () throws(MachineError) in
            seen.withLock { $0 = sink.ofMachine }
        }
        #expect(await RelayBench(sink: sink).run(machine) == nil)
        #expect(seen.withLock { $0 } == Array(Self.good.prefix(2)))
        #expect(machine.cuts == 1)
        try await server.stop()
    }

    @Test func theNetworkOfABuildThatPrintsNothingIsCutWhenItsInputsAreVerified() async throws {
        let sink = JournalSink()
        let seen = Mutex<[BuildEvent]?>(nil)
        var agent = ScriptedAgent(result: try MadeResult().bytes())
        agent.events = [
            .queued(position: 0), .detect("cargo"), .initialize("Verifying build inputs"),
            .initialize("Verified all that there is"), .inputsVerified(3), .provenance("Generating provenance"),
            .attest("Generating attestation"), .complete(nil),
        ]
        let relayed = ScriptedAgent.relayed(agent.events)
        let server = try await ScriptedServer { [agent] _, request in agent.answer(request) }
        let machine = StandInMachine(address: try server.address.text) { () throws(MachineError) in
            seen.withLock { $0 = sink.ofMachine }
        }
        #expect(await RelayBench(sink: sink).run(machine) == nil)
        #expect(seen.withLock { $0 } == Array(relayed.prefix(3)))
        #expect(machine.cuts == 1 && sink.ofMachine == relayed)
        try await server.stop()
    }

    @Test func whereTheNetworkCannotBeCutNothingOfTheBuildIsPassedOn() async throws {
        let agent = ScriptedAgent(result: try MadeResult().bytes())
        let server = try await ScriptedServer { _, request in agent.answer(request) }
        let machine = StandInMachine(address: try server.address.text) { () throws(MachineError) in
            throw MachineError(.ended, "QMP does not answer")
        }
        let bench = RelayBench()
        let failure = await bench.run(machine)
        #expect(failure?.kind == .machine && failure?.message.contains("QMP does not answer") == true)
        #expect(bench.sink.ofMachine == Array(Self.good.prefix(2)))
        #expect(machine.ends >= 1 && bench.names == [])
        try await server.stop()
    }

    @Test func aFailedBuildEndsAsTheMachineSays() async throws {
        let failure = BuildFailure(.lockfile, "Cargo.lock is missing")
        let agent = ScriptedAgent(events: [.queued(position: 0), .detect("cargo"), .complete(failure)])
        let bench = RelayBench()
        try await agent.serve { machine in
            #expect(await bench.run(machine) == failure)
            #expect(machine.ends >= 1 && machine.cuts == 0)
        }
    }

    @Test(arguments: [BuildFailure.Kind.cancelled, .interrupted])
    func anAgentCannotPutABuildBackInLine(kind: BuildFailure.Kind) async throws {
        let agent = ScriptedAgent(events: [.complete(BuildFailure(kind, "idle"))])
        let bench = RelayBench()
        try await agent.serve { machine in
            #expect(await bench.run(machine) == BuildFailure(.machine, "the machine's agent gave the build up: idle"))
        }
    }

    @Test func theSecondAttemptSaysSoWhereTheFirstBeginsWithItsInputs() async throws {
        var bench = RelayBench()
        bench.attempt = 2
        let run = bench
        let result = try MadeResult().bytes()
        try await ScriptedAgent(result: result).serve { #expect(await run.run($0) == nil) }
        let note = BuildEvent.initialize("The service stopped during attempt 1; the build has started afresh")
        #expect(bench.sink.ofMachine == Self.good.prefix(2) + [note] + Self.good.dropFirst(2))
    }

    /// A connection that breaks while the machine lives is taken up, at whatever byte of the stream it breaks.
    @Test func eachEventComesOnceHoweverOftenTheConnectionBreaks() async throws {
        let whole = ScriptedAgent.wire(ScriptedAgent.good)
        let result = try MadeResult().bytes()
        for cut in stride(from: 0, to: whole.utf8.count, by: 23) {
            let isFirst = Atomic(true)
            let agent = ScriptedAgent(result: result) { request in
                guard request.line.contains("/events"), isFirst.exchange(false, ordering: .relaxed) else { return nil }
                return Reply.stream(String(decoding: whole.utf8.prefix(cut), as: UTF8.self))
            }
            let bench = RelayBench()
            try await agent.serve { #expect(await bench.run($0) == nil, "cut at \(cut)") }
            #expect(bench.sink.ofMachine == Self.good, "cut at \(cut)")
        }
    }

    /// At whatever byte of the conversation the machine dies, the reader gets what came whole, and then the reason.
    @Test func aMachineThatDiesEndsItsBuildWithWhatItsConsoleSaid() async throws {
        let whole = ScriptedAgent.wire(ScriptedAgent.good)
        for cut in stride(from: 0, to: whole.utf8.count - 70, by: 31) {
            let machine = Mutex<StandInMachine?>(nil)
            let isFirst = Atomic(true)
            let agent = ScriptedAgent { request in
                if request.line.hasPrefix("POST") { return nil }
                guard isFirst.exchange(false, ordering: .relaxed) else { return [] }
                machine.withLock { $0 }?.crash()
                return Reply.stream(String(decoding: whole.utf8.prefix(cut), as: UTF8.self))
            }
            let bench = RelayBench()
            try await agent.serve { stand in
                machine.withLock { $0 = stand }
                let failure = await bench.run(stand)
                #expect(failure?.kind == .machine && failure?.message.contains("Kernel panic") == true, "cut at \(cut)")
                #expect(stand.ends >= 1)
            }
            let seen = bench.sink.ofMachine
            #expect(seen == Array(Self.good.prefix(seen.count)) && bench.names == [], "cut at \(cut)")
        }
    }

    @Test(arguments: ["POST /build ", "GET /build/j1/result "])
    func aMachineThatDiesAtTheOtherRequestsEndsItsBuildToo(request: String) async throws {
        let machine = Mutex<StandInMachine?>(nil)
        let agent = ScriptedAgent { found in
            guard found.line.hasPrefix(request) else { return nil }
            machine.withLock { $0 }?.crash()
            return Reply.bytes(200, "Content-Length: 1000\r\n", [1, 2, 3])
        }
        let bench = RelayBench()
        try await agent.serve { stand in
            machine.withLock { $0 = stand }
            let failure = await bench.run(stand)
            #expect(failure?.kind == .machine && failure?.message.contains("Kernel panic") == true)
            #expect(stand.ends >= 1)
        }
        #expect(bench.names == [])
    }

    @Test func aMachineThatIsLostBeforeItTookTheBuildIsReplacedOnce() async throws {
        let dead = try await ScriptedAgent().serve { $0 }
        dead.crash()
        let taken = Mutex<[StandInMachine]>([])
        let bench = RelayBench()
        try await ScriptedAgent(result: try MadeResult().bytes()).serve { machine in
            let failure = await bench.run { _ throws(MachineError) in
                taken.withLock { taken in
                    taken.append(taken.isEmpty ? dead : machine)
                    return taken[taken.count - 1]
                }
            }
            #expect(failure == nil && taken.withLock { $0.count } == 2)
        }
        #expect(bench.sink.ofMachine == Self.good)
        let again = RelayBench()
        #expect(await again.run(dead)?.kind == .machine)
        #expect(again.sink.events.filter { $0 == .machine("A machine of its own is ready") }.count == 2)
    }

    /// Its last word may still be on the way when the machine has powered off.
    @Test func aMachineThatEndsWithItsLastWordHasSaidIt() async throws {
        let machine = Mutex<StandInMachine?>(nil)
        let result = try MadeResult().bytes()
        let agent = ScriptedAgent(result: result) { request in
            if request.line.contains("/result") { machine.withLock { $0 }?.crash("powered off") }
            return nil
        }
        var bench = RelayBench()
        bench.limits.farewell = .seconds(30)
        let run = bench
        try await agent.serve { stand in
            machine.withLock { $0 = stand }
            #expect(await run.run(stand) == nil)
        }
        #expect(run.result == result)
    }

    @Test func aMachineThatIsNotToBeHadIsAMachineError() async {
        let bench = RelayBench()
        let failure = await bench.run { _ throws(MachineError) in throw MachineError(.deadline, "no answer in 9 s") }
        #expect(failure == BuildFailure(.machine, "no answer in 9 s"))
        let cancelled = await bench.run { _ throws(MachineError) in throw MachineError(.cancelled, "cancelled") }
        #expect(cancelled == BuildFailure(.cancelled, "cancelled"))
    }

    @Test func theConsoleIsShownCleanAndWithinBounds() {
        let sink = JournalSink()
        let events = RelayedEvents(sink, attempt: 1, consoleLines: 4)
        for text in ["\u{1B}[1mbold\u{1B}[0m\u{7}\r", "", String(repeating: "x", count: 5000), "c", "d", "e", "f"] {
            events.console(text)
        }
        let cut = String(repeating: "x", count: 400) + " […]"
        #expect(
            sink.events
                == [
                    "console: bold\u{FFFD}", "console: \(cut)", "console: c", "console: d",
                    "console: further lines are not shown",
                ]
                .map { .machine($0) })
        #expect(events.lastLines == ["bold\u{FFFD}", cut, "c", "d", "e", "f"])
    }

    @Test func onceTheBuildSpeaksTheConsoleIsOnlyKept() throws {
        let sink = JournalSink()
        let events = RelayedEvents(sink, attempt: 1, consoleLines: 4)
        events.console("booting")
        try events.relay(.detect("cargo"))
        events.console("link down")
        #expect(sink.events == [.machine("console: booting"), .detect("cargo")])
        #expect(events.lastLines == ["booting", "link down"])
    }
}
