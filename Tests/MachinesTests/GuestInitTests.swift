// SPDX-License-Identifier: Apache-2.0
import Foundation
import Machines
import Testing

@Suite struct GuestInitTests {
    @Test func theScriptIsOneForBusyBox() throws {
        let path = NSTemporaryDirectory() + "cupel-init-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(GuestInit.script.utf8).write(to: URL(fileURLWithPath: path))
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/busybox")
        shell.arguments = ["sh", "-n", path]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        #expect(GuestInit.script.hasPrefix("#!/bin/busybox sh\n") && GuestInit.script.hasSuffix("\n"))
    }

    /// After the agent nothing is left to do but to power off: whatever the way it ended, and with a way more for a
    /// machine whose firmware does not.
    @Test func theMachineIsOffWhenTheAgentEnds() throws {
        let end = try #require(GuestInit.script.range(of: "wait \"$agent\"\n"))
        let rest = GuestInit.script[end.upperBound...].split(separator: "\n")
        #expect(rest.last == "off \"the agent ended with $status\"" && rest.count == 3)
        #expect(GuestInit.script.contains("busybox poweroff -n -f\n    echo o >/proc/sysrq-trigger"))
    }

    /// Agents and builds run with no more modules than the initrd has loaded.
    @Test func noModuleIsLoadedOnceTheAgentRuns() throws {
        let lock = try #require(GuestInit.script.range(of: "kernel/modules_disabled 1"))
        let start = try #require(GuestInit.script.range(of: "exec /usr/lib/cupel/cupel-guest"))
        #expect(lock.upperBound < start.lowerBound)
    }
}
