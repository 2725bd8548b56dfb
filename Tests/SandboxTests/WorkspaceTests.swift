// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import StrictJSON
import Testing

@Suite("Workspaces")
struct WorkspaceTests {
    private static let hostileTrees = [
        // Folders that forbid it.
        "mkdir -p a/b/c; touch a/b/c/d; chmod 0 a/b/c a/b a",
        "mkdir -p a/b; touch a/b/d; chmod 555 a/b a; ln -s / a/../root; ln -s . a/../self",
        // Names that are not UTF-8, in folders that are not empty.
        "d=$(printf '\\377\\376'); mkdir -p \"$d/$d\"; touch \"$d/$d/x\" \"$d/$(printf '\\300')\"",
        // 3000 folders within each other, with neighbours.
        """
        python3 -c "
        import os
        for _ in range(3000): os.mkdir('0123456789'); os.mkdir('other'); open('other/x', 'w'); os.chdir('0123456789')"
        """,
        // Names of folders that removal might use.
        "mkdir -p .removed-1 .removed-2/x; mkfifo .removed-3; touch '...' '..x' ' '",
    ]

    @Test("are removed, whatever is in them", .enabled(if: Host.python != nil), arguments: hostileTrees)
    func removal(script: String) async throws {
        try await TestSandbox.run(.none) { test in
            let result = try await test.run(test.command(script))
            #expect(result.status == 0, "\(result.text)")
            test.sandbox.removeWorkspace(test.workspace)
            #expect(try FileManager.default.contentsOfDirectory(atPath: test.folder) == [])
        }
    }

    @Test("are removed without following links")
    func links() async throws {
        try await TestSandbox.run(.none) { test in
            let kept = test.folder + "/kept"
            try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: false)
            try Data("x".utf8).write(to: URL(fileURLWithPath: kept + "/file"))
            try FileManager.default.createSymbolicLink(
                atPath: test.workspace.path(.output) + "/link", withDestinationPath: kept)
            test.sandbox.removeWorkspace(test.workspace)
            #expect(try FileManager.default.contentsOfDirectory(atPath: test.folder) == ["kept"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: kept) == ["file"])
        }
    }

    @Test("are empty, private and replace what had their name")
    func made() async throws {
        try await TestSandbox.run(.none) { test in
            try Data("x".utf8).write(to: URL(fileURLWithPath: test.workspace.path(.output) + "/old"))
            let again = try test.sandbox.makeWorkspace(named: "build", slot: test.slot)
            #expect(try FileManager.default.contentsOfDirectory(atPath: again.path(.output)) == [])
            let attributes = try FileManager.default.attributesOfItem(atPath: again.root)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test(
        "of an earlier run are removed at the start, and what still runs in them is killed",
        .enabled(if: Host.canConfine, Host.why))
    func leftovers() async throws {
        let folder = try TestSandbox.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/old/output", withIntermediateDirectories: true)
        let orphan = Process()
        orphan.arguments = [
            "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--bind", folder + "/old/output",
            "/tmp", "/bin/sh", "-c", "echo started; sleep 4711005",
        ]
        // The command line of a program must name the sandbox's program as this module starts it.
        let script = "exec /usr/bin/bwrap \"$@\""
        orphan.arguments = ["-c", script, "sh"] + (orphan.arguments ?? [])
        orphan.executableURL = URL(fileURLWithPath: "/bin/sh")
        let pipe = Pipe()
        orphan.standardOutput = pipe
        try orphan.run()
        #expect(try pipe.fileHandleForReading.read(upToCount: 8) == Data("started\n".utf8))
        _ = try await Sandbox.prepare(confinement: .bubblewrap, folder: folder)
        #expect(Processes.mentioning("sleep\u{0}4711005") == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        orphan.waitUntilExit()
        // Which of its two processes is killed first is left open.
        #expect([9, 137].contains(orphan.terminationStatus))
    }

    @Test("of an earlier run are removed for a service that makes none")
    func leftoversElsewhere() throws {
        let folder = try TestSandbox.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/old/output", withIntermediateDirectories: true)
        Sandbox.removeLeftovers(in: folder)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test("without a sandbox are where they are, and the profile says that nothing was confined")
    func unconfined() async throws {
        try await TestSandbox.run(.none) { test in
            #expect(test.workspace.mountPoint == test.workspace.root)
            #expect(test.sandbox.profile["isolation"]?.stringValue == "none")
            #expect(test.sandbox.profile["warning"] != nil)
        }
    }
}
