// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import StrictJSON
import Testing

@Suite("What a confined command can reach", .enabled(if: Host.canConfine, Host.why))
struct ConfinementTests {
    @Test("the environment is exactly the given one")
    func environment() async throws {
        try await TestSandbox.run { test in
            let text = try await test.text("exec /usr/bin/env") { $0.environment = ["ONE": "1", "TWO": "a b"] }
            // The shell and bubblewrap add PWD, which says where the command runs.
            let lines = Set(text.split(separator: "\n")).subtracting(["PWD=/build/output"])
            #expect(lines == ["ONE=1", "TWO=a b"])
        }
    }

    @Test("only descriptors 0, 1 and 2 are open")
    func descriptors() async throws {
        try await TestSandbox.run { test in
            let leaked = open("/dev/null", O_RDONLY)
            defer { close(leaked) }
            let found = try await test.text("ls /proc/$$/fd; exit")
            #expect(found == "0\n1\n2")
        }
    }

    @Test("standard input is empty")
    func standardInput() async throws {
        try await TestSandbox.run { test in
            let count = try await test.text("wc -c")
            #expect(count == "0")
        }
    }

    @Test("parts are read-only unless they are writable", arguments: Workspace.Part.allCases)
    func parts(part: Workspace.Part) async throws {
        try await TestSandbox.run { test in
            let script = "touch \(test.workspace.inside(part))/x 2> /dev/null && echo written || echo refused"
            let closed = try await test.text(script) {
                $0.writable = []
                $0.workingDirectory = "/"
            }
            #expect(closed == "refused")
            let opened = try await test.text(script) { $0.writable = [part] }
            #expect(opened == "written")
        }
    }

    @Test(
        "nothing else can be written", arguments: ["/x", "/usr/x", "/etc/x", "/dev/x", "/build/x", "/var/x", "/run/x"])
    func writes(path: String) async throws {
        try await TestSandbox.run { test in
            let found = try await test.text("(echo > \(path)) 2> /dev/null && echo written || echo refused")
            #expect(found == "refused")
        }
    }

    @Test("/tmp, /var/tmp and /dev/shm lie in the workspace, so that they count as disk")
    func temporaryFolders() async throws {
        try await TestSandbox.run { test in
            _ = try await test.text("echo 1 > /tmp/a; echo 2 > /var/tmp/b; echo 3 > /dev/shm/c")
            let temporary = try FileManager.default.contentsOfDirectory(atPath: test.workspace.path(.temporary))
            #expect(temporary.sorted() == ["a", "b"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: test.workspace.root + "/shm") == ["c"])
        }
    }

    @Test("the command sees its own few processes, and no capability")
    func processes() async throws {
        try await TestSandbox.run { test in
            let found = try await test.text("ls -d /proc/[0-9]* | wc -l; id -u; grep CapEff /proc/self/status")
                .contains(/^[1-6]\n1000\nCapEff:\s0+$/)
            #expect(found)
        }
    }

    @Test("without network there is only an unconnected loopback; with network this machine's is there")
    func network() async throws {
        try await TestSandbox.run { test in
            let script = "readlink /proc/self/ns/net"
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
            let without = try await test.text(script)
            #expect(without != own)
            let interfaces = try await test.text("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")
            #expect(interfaces == "lo")
            let with = try await test.text(script) { $0.network = true }
            #expect(with == own)
        }
    }

    @Test("a workspace of another build cannot be seen")
    func otherWorkspace() async throws {
        try await TestSandbox.run { test in
            let other = try test.sandbox.makeWorkspace(named: "other", slot: 4)
            defer { test.sandbox.removeWorkspace(other) }
            let found = try await test.text("ls \(test.folder) 2> /dev/null || echo absent")
            #expect(found == "absent")
        }
    }

    @Test("the profile says how")
    func profile() async throws {
        try await TestSandbox.run { test in
            #expect(test.sandbox.profile["isolation"]?.stringValue == "sandbox")
            #expect(test.sandbox.profile["seccomp"] == true)
        }
    }
}
