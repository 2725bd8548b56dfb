// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import Testing

@Suite("What ends a command", .enabled(if: Host.canProbe, Host.whyProbe))
struct EndTests {
    private func limits(_ change: (inout BuildLimits) -> Void) -> BuildLimits {
        var limits = BuildLimits()
        change(&limits)
        return limits
    }

    private func expectCancelled(_ result: Result<CommandOutcome, any Error>) {
        #expect(throws: BuildFailure(.cancelled, "the build was cancelled")) { try result.get() }
    }

    @Test("its time limit", arguments: [Confinement.bubblewrap, .none])
    func timeLimit(confinement: Confinement) async throws {
        try await TestSandbox.run(confinement) { test in
            let failure = await test.failure(test.command("sleep 4711001\(test.slot)", timeLimit: 1))
            #expect(failure?.kind == .timeout)
            #expect(failure?.message.contains("1 seconds") == true)
            #expect(Processes.mentioning("sleep\u{0}4711001\(test.slot)") == [])
        }
    }

    @Test("a cancelled task, while it runs", arguments: [Confinement.bubblewrap, .none])
    func cancellation(confinement: Confinement) async throws {
        try await TestSandbox.run(confinement) { test in
            let (started, continuation) = AsyncStream<Void>.makeStream()
            let runner = test.sandbox.runner(for: test.workspace, slot: test.slot, limits: BuildLimits())
            let command = test.command("echo started; sleep 4711002\(test.slot)")
            let task = Task { () throws(BuildFailure) in try await runner.run(command) { _, _ in continuation.yield() }
            }
            for await _ in started { break }
            task.cancel()
            let result = await task.result
            expectCancelled(result)
            #expect(Processes.mentioning("sleep\u{0}4711002\(test.slot)") == [])
        }
    }

    @Test("a cancelled task, before it runs: nothing of it ever does")
    func cancelledBefore() async throws {
        try await TestSandbox.run { test in
            let runner = test.sandbox.runner(for: test.workspace, slot: test.slot, limits: BuildLimits())
            let command = test.command("touch begun; sleep 4711003\(test.slot)")
            let task = Task { () throws(BuildFailure) in
                withUnsafeCurrentTask { $0?.cancel() }
                return try await runner.run(command) { _, _ in }
            }
            let result = await task.result
            expectCancelled(result)
            #expect(Processes.mentioning("sleep\u{0}4711003\(test.slot)") == [])
        }
    }

    @Test(
        "more memory than the limit of all its processes together, mapped or not",
        arguments: [
            "x = bytearray(400 << 20)",
            "[os.fork() for _ in range(2)]; x = bytearray(90 << 20)",
            "f = os.memfd_create('x'); [os.write(f, bytes(1 << 20)) for _ in range(400)]",
        ])
    func memory(script: String) async throws {
        try await TestSandbox.run { test in
            let command = test.python("import os, time\n\(script)\ntime.sleep(60)")
            let failure = await test.failure(command, limits: limits { $0.memory = 250 << 20 })
            #expect(failure?.kind == .resourceLimit)
            #expect(failure?.message.contains("(memory)") == true)
        }
    }

    /// Fills a tmpfs in namespaces of its own, in which it is mounted with some options.
    private func nested(_ test: TestSandbox, options: String, fill: Int, then last: String) -> Command {
        let script = """
            import ctypes, os, time
            l = ctypes.CDLL(None, use_errno=True)
            assert l.unshare(0x10000000 | 0x20000) == 0
            for name, text in ('setgroups', 'deny'), ('uid_map', '0 1000 1'), ('gid_map', '0 1000 1'):
                with open('/proc/self/' + name, 'w') as f: f.write(text)
            assert l.mount(b'none', b'/tmp', b'tmpfs', 0, b'\(options)') == 0
            with open('/tmp/a b', 'wb') as f:
                for _ in range(\(fill)): f.write(bytes(1 << 20))
            \(last)
            """
        var command = test.python(script)
        command.nestsNamespaces = true
        return command
    }

    @Test(
        "more memory than the limit in a file system in memory, mounted or only held",
        arguments: ["", "f = open('/tmp/a b'); l.umount2(b'/tmp', 2)", "os.chdir('/tmp'); l.umount2(b'/tmp', 2)"])
    func mountedMemory(hide: String) async throws {
        try await TestSandbox.run { test in
            let command = nested(test, options: "size=1g", fill: 400, then: "\(hide)\ntime.sleep(60)")
            let failure = await test.failure(command, limits: limits { $0.memory = 250 << 20 })
            #expect(failure?.kind == .resourceLimit)
            #expect(failure?.message.contains("(memory)") == true)
        }
    }

    @Test("a file system in memory whose size the kernel does not count")
    func uncountableMemory() async throws {
        try await TestSandbox.run { test in
            let failure = await test.failure(nested(test, options: "size=0", fill: 1, then: "time.sleep(60)"))
            #expect(failure?.kind == .resourceLimit)
            #expect(failure?.message.contains("cannot be counted") == true)
        }
    }

    @Test("a file system in memory may have a few files")
    func littleMountedMemory() async throws {
        try await TestSandbox.run { test in
            let command = nested(test, options: "", fill: 50, then: "time.sleep(1.5); print('done')")
            let result = try await test.run(command, limits: limits { $0.memory = 250 << 20 })
            #expect(result.text == "done")
        }
    }

    @Test("more processes than the limit")
    func processes() async throws {
        try await TestSandbox.run { test in
            let script = "i=0; while [ $i -lt 60 ]; do sleep 4711004\(test.slot) & i=$((i + 1)); done; wait"
            let failure = await test.failure(test.command(script), limits: limits { $0.processes = 40 })
            #expect(failure?.kind == .resourceLimit)
            #expect(failure?.message.contains("(processes)") == true)
            #expect(Processes.mentioning("sleep\u{0}4711004\(test.slot)") == [])
        }
    }

    @Test(
        "more bytes on disk than the limit, wherever they lie",
        arguments: [
            "f = open('/tmp/x', 'wb')", "f = open('/dev/shm/x', 'wb')",
            "os.mkdir(b'\\xff\\xfe'); f = open(b'\\xff\\xfe/x', 'wb')",
            "[(os.mkdir('d' * 200), os.chdir('d' * 200)) for _ in range(60)]; f = open('x', 'wb')",
            "f = open('/tmp/x', 'wb'); os.unlink('/tmp/x')",
            "os.mkdir('closed'); f = open('closed/x', 'wb'); os.chmod('closed', 0)",
        ])
    func diskSize(script: String) async throws {
        try await TestSandbox.run { test in
            let fill =
                "for g in (f, open('/build/output/second', 'wb')):\n  for _ in range(30): g.write(bytes(1 << 20))\n  g.flush()"
            let command = test.python("import os, time\n\(script)\n\(fill)\ntime.sleep(60)")
            // Each file is smaller than the limit; only both together are not.
            let failure = await test.failure(command, limits: limits { $0.diskSize = 40 << 20 })
            #expect(failure?.kind == .resourceLimit)
            #expect(failure?.message.contains("(disk_size)") == true)
        }
    }

    @Test(
        "more files than the limit, or folders too deep to count",
        arguments: [
            "[open(f'f{i}', 'w').close() for i in range(500)]",
            "[(os.mkdir('d' * 250), os.chdir('d' * 250)) for _ in range(2000)]",
        ], [10, 300])
    func diskFiles(script: String, limit: Int) async throws {
        try await TestSandbox.run { test in
            let command = test.python("import os, time\n\(script)\ntime.sleep(60)")
            let failure = await test.failure(command, limits: limits { $0.diskFiles = limit })
            #expect(failure?.kind == .resourceLimit)
            #expect(failure?.message.contains("(disk_files)") == true)
        }
    }

    @Test("its own end, for all that it started", arguments: ["setsid", "nohup", "setsid nohup setsid"])
    func daemons(how: String) async throws {
        try await TestSandbox.run { test in
            let script = """
                for i in 1 2 3 4 5 6 7 8; do (\(how) sh -c 'while :; do echo x >> /build/output/log\(test.slot); done' &) & done
                exit 0
                """
            let result = try await test.run(test.command(script))
            #expect(result.status == 0)
            // Nothing of it is in the kernel's table any more.
            #expect(Processes.mentioning("echo x >> /build/output/log\(test.slot)") == [])
        }
    }
}
