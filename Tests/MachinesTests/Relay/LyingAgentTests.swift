// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Machines
import StrictJSON
import Synchronization
import TestServers
import Testing

/// Agents that lie, flood or hang: each ends its own build, within bounds, and leaves nothing behind.
@Suite struct LyingAgentTests {
    struct Lie: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: BuildFailure.Kind
        let words: String
        let agent: ScriptedAgent

        init(_ name: String, _ kind: BuildFailure.Kind, _ words: String, _ agent: ScriptedAgent) {
            (testDescription, self.kind, self.words, self.agent) = (name, kind, words, agent)
        }
    }

    private static func made(_ change: (inout MadeResult) -> Void) -> ScriptedAgent {
        var result = MadeResult()
        change(&result)
        return ScriptedAgent(result: (try? result.bytes()) ?? [])
    }

    private static func events(_ events: [BuildEvent]) -> ScriptedAgent { ScriptedAgent(events: events) }

    private static func raw(_ text: String) -> ScriptedAgent {
        ScriptedAgent { $0.line.contains("/events") ? Reply.stream(text) : nil }
    }

    private static func at(_ part: String, _ reply: [UInt8]) -> ScriptedAgent {
        ScriptedAgent { $0.line.contains(part) ? reply : nil }
    }

    static let lies: [Lie] = [
        Lie("another nonce", .machine, "of the nonce 0a, not of 00ff17", made { $0.nonce = "0a" }),
        Lie(
            "another source", .machine, "another source", made { $0.source = ["uri": "git+https://example.org/x.git"] }),
        Lie(
            "a ref that was not asked for", .machine, "another source",
            made { $0.source = ["uri": "git+https://example.org/probe.git", "ref": "v2"] }),
        Lie("an upload in place of a repository", .machine, "another source", made { $0.source = ["sha256": "00"] }),
        Lie("no evidence", .machine, "evidence.json is not in it", made { $0.files["probe/evidence.json"] = nil }),
        Lie("no JSON", .machine, "cannot be used", made { $0.provenance = "{" }),
        Lie("no statement", .machine, "of the nonce none", made { $0.provenance = "[]" }),
        Lie(
            "a giant provenance", .machine, "at most 16777216 are expected",
            made { $0.provenance = String(repeating: " ", count: 16_777_217) }),
        Lie("two folders", .machine, "more than one top folder", made { $0.files["other/file"] = [1] }),
        Lie("no archive", .machine, "cannot be used", ScriptedAgent(result: Array("no archive".utf8))),
        Lie("an empty result", .machine, "cannot be used", ScriptedAgent(result: [])),
        Lie(
            "a torn archive", .machine, "cannot be used",
            ScriptedAgent(result: Array(((try? MadeResult().bytes()) ?? []).dropLast(20)))),
        Lie(
            "a giant result", .resourceLimit, "has more than",
            at("/result", Reply.bytes(200, "Content-Length: 99999999999999\r\n", [1]))),
        Lie(
            "a content coding that was not asked for", .machine, "content coding",
            at("/result", Reply.bytes(200, "Content-Encoding: zstd\r\n", [1]))),
        Lie("no result", .machine, "the server answered 404", at("/result", Reply.status(404, "no"))),
        Lie(
            "a redirect of the submission", .machine, "answered 307",
            at("POST", Reply.status(307, "there", headers: "Location: http://127.0.0.1:1/build\r\n"))),
        Lie(
            "a redirect of the result", .machine, "answered 302",
            at("/result", Reply.status(302, "there", headers: "Location: http://127.0.0.1:1/x\r\n"))),
        Lie("a second build", .machine, "answered 409", at("POST", Reply.status(409, "one build only"))),
        Lie(
            "no such request", .source, "does not take the request: the server answered 400",
            at("POST", Reply.status(400, "the ref is none"))),
        Lie(
            "no such type", .source, "does not take the request: the server answered 415",
            at("POST", Reply.status(415, "JSON only"))),
        Lie(
            "too large a request", .resourceLimit, "does not take the request: the server answered 413",
            at("POST", Reply.status(413, "less"))),
        Lie("a job id that is a path", .machine, "job id", at("POST", Reply.json(202, "{\"job_id\":\"../x\"}"))),
        Lie("no job id", .machine, "no job_id", at("POST", Reply.json(202, "{}"))),
        Lie(
            "an answer without end", .machine, "longer than",
            at("POST", Reply.json(202, String(repeating: " ", count: 70_000)))),
        Lie("a line that is two", .machine, "is none", events([.detect("cargo"), .build("a\nb")])),
        Lie("a line with a terminal's escape", .machine, "is none", events([.build("\u{1B}[2J")])),
        Lie("a long line", .machine, "is none", events([.build(String(repeating: "x", count: 16_385))])),
        Lie("a long message", .machine, "more than", events([.initialize(String(repeating: "x", count: 65_537))])),
        Lie("an endless line", .machine, "event stream", raw("data: " + String(repeating: "x", count: 1_100_000))),
        Lie("no JSON in the stream", .machine, "event stream", raw("data: {\n\n")),
        Lie(
            "events without end", .resourceLimit, "more than 2000 events",
            events(Array(repeating: .provenance("again"), count: 3000))),
        Lie("a stream that never completes", .machine, "the stream ended before", events([.detect("cargo")])),
    ]

    @Test(arguments: lies) func aLieEndsItsBuild(lie: Lie) async throws {
        let bench = RelayBench(sink: JournalSink(limit: 2000))
        try await lie.agent.serve { machine in
            // Before it took the build, the machine is replaced once: by one that lies as well.
            let taken = Mutex<[StandInMachine]>([])
            let failure = await bench.run { _ throws(MachineError) in
                let next = StandInMachine(address: machine.address)
                taken.withLock { $0.append(next) }
                return next
            }
            #expect(failure?.kind == lie.kind && failure?.message.contains(lie.words) == true, "\(failure as Any)")
            let most = lie.kind == .machine ? 2 : 1
            #expect(taken.withLock { $0.allSatisfy { $0.ends >= 1 } && (1...most).contains($0.count) })
        }
        #expect(bench.names == [])
    }

    @Test func whatFollowsTheEndIsNotRead() async throws {
        let more = ScriptedAgent.good + [.build("after the end"), .complete(BuildFailure(.build, "twice"))]
        let result = try MadeResult().bytes()
        let bench = RelayBench()
        try await ScriptedAgent(events: more, result: result).serve { #expect(await bench.run($0) == nil) }
        #expect(bench.sink.ofMachine == ScriptedAgent.relayed(ScriptedAgent.good))
        #expect(bench.result == result)
    }

    /// The agent takes the job and then says nothing any more, on connections that stay open.
    @Test func anAgentThatFallsSilentIsGivenUp() async throws {
        var bench = RelayBench()
        bench.limits.silence = .seconds(2)
        let run = bench
        try await ScriptedAgent(events: [.detect("cargo")]).serve(closes: false) { machine in
            machine.print("the last words")
            let failure = await run.run(machine)
            #expect(failure?.kind == .machine && failure?.message.contains("the server fell silent") == true)
            #expect(machine.ends >= 1)
        }
    }

    @Test func aBuildThatTakesTooLongIsOverAtItsDeadline() async throws {
        var bench = RelayBench()
        bench.limits.deadline = .milliseconds(300)
        let run = bench
        try await ScriptedAgent(events: [.detect("cargo")]).serve(closes: false) { machine in
            #expect(await run.run(machine)?.kind == .timeout)
            #expect(machine.ends >= 1)
        }
    }
}
