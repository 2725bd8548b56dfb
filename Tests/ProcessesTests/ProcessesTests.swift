// SPDX-License-Identifier: Apache-2.0
import Foundation
import Processes
import Testing

@Suite("Processes of the host") struct ProcessesTests {
    /// A program that sleeps, with a word of its own on its command line.
    private func sleeper(_ word: String) throws -> ChildProcess {
        try ChildProcess(["/bin/sh", "-c", "sleep 600; true", word], environment: [:])
    }

    @Test("a short program's output is handed on, and its status returned")
    func output() throws {
        let tail = OutputTail()
        let status = try HostProcess.run(["/bin/sh", "-c", "echo said; echo wrong >&2; exit 3"]) { tail.add($0) }
        #expect(status == 3)
        #expect(Set(tail.text.split(separator: "\n")) == ["said", "wrong"])
    }

    @Test("a program that is not there is an error that names it")
    func missing() {
        #expect(throws: ProcessError("/no/such could not be started: No such file or directory")) {
            try HostProcess.run(["/no/such"]) { _ in }
        }
    }

    @Test("what a run left behind is killed, and nothing else")
    func orphans() throws {
        let folder = "/tmp/\(UUID().uuidString)/"
        let orphan = try sleeper(folder + "1")
        let stranger = try sleeper("/tmp/stranger")
        Orphans.kill(program: "/bin/sh", mentioning: folder)
        #expect(orphan.wait() == 128 + SIGKILL)
        #expect(ProcessTable.arguments(of: stranger.id).last == "/tmp/stranger")
        stranger.kill()
        #expect(stranger.wait() == 128 + SIGKILL)
    }

    @Test("a cgroup whose limits cannot be set is an error that says why, and is removed")
    func withoutLimits() throws {
        // A folder like any other has no files for limits.
        let folder = NSTemporaryDirectory() + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: ProcessError("the cgroup \(folder)/one could not be made: No such file or directory")) {
            try ControlGroups(path: folder).make("one", memory: 1 << 20, processes: 1)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
}
