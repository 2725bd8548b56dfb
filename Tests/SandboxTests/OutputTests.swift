// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import Testing

@Suite("What a command says and how it ends", .enabled(if: Host.canConfine, Host.why))
struct OutputTests {
    @Test(
        "the status is the command's, or 128 and the signal",
        arguments: [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] as [(String, Int32)],
        [Confinement.bubblewrap, .none])
    func status(script: (String, Int32), confinement: Confinement) async throws {
        try await TestSandbox.run(confinement) { test in
            let status = try await test.run(test.command(script.0)).status
            #expect(status == script.1)
        }
    }

    @Test("a program that is not there ends with a status and a complaint")
    func absent() async throws {
        try await TestSandbox.run { test in
            var command = test.command("")
            command.executable = "/nowhere"
            let result = try await test.run(command)
            #expect(result.status != 0 && result.text.contains("/nowhere"))
        }
    }

    @Test("both outputs arrive whole and in order, with the last line that has no newline")
    func completeness() async throws {
        try await TestSandbox.run { test in
            let numbers = "seq -f '%015.0f' 1 131072"
            let result = try await test.run(
                test.command("\(numbers) & \(numbers) >&2; wait; printf end; printf END >&2"))
            let expected = (1...131_072).map { String(repeating: "0", count: 15 - "\($0)".count) + "\($0)\n" }.joined()
            #expect(expected.utf8.count == 2 << 20)
            #expect(result.output == Array((expected + "end").utf8))
            #expect(result.errors == Array((expected + "END").utf8))
        }
    }

    @Test("an error of the receiver ends the command, and is what the caller gets")
    func receiver() async throws {
        try await TestSandbox.run { test in
            let own = BuildFailure(.resourceLimit, "the log is full")
            let runner = test.sandbox.runner(for: test.workspace, slot: test.slot, limits: BuildLimits())
            await #expect(throws: own) {
                try await runner.run(test.command("yes 8217364")) { _, _ throws(BuildFailure) in throw own }
            }
            #expect(Processes.mentioning("yes\u{0}8217364") == [])
        }
    }

    @Test("what outlives an unconfined command cannot hold up its end")
    func endless() async throws {
        try await TestSandbox.run(.none) { test in
            let result = try await test.run(test.command("setsid timeout 20 yes 7162534 & echo $! > pid; exit 4"))
            #expect(result.status == 4)
            _ = try await test.text("kill -- -$(cat pid); kill $(cat pid)")
        }
    }
}
