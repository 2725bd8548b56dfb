// SPDX-License-Identifier: Apache-2.0
import Foundation
import Machines
import Processes
import StrictJSON
import Synchronization
import Testing

/// Asks the QEMU that is installed; nothing boots but, once, firmware.
@Suite("QEMU as it is installed", .enabled(if: access(MachineHost.qemu, X_OK) == 0), .timeLimit(.minutes(10)))
struct RealQEMUTests {
    /// Starts a machine that does not run, with an empty root and disk, and asks its monitor.
    private func ask(
        isConfidential: Bool, _ questions: (QMPConnection) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "/qemu-" + UUID().uuidString.prefix(13)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["root.img", "scratch,img"] {
            try Data(count: 1 << 20).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        let ends = try QMPConnection.pair()
        let qmp = QMPConnection(descriptor: ends.here) { _, _ in }
        let devices = MachineDevices(root: "root.img", scratch: "scratch,img", network: .user)
        let plain = QEMUCommand(
            program: MachineHost.qemu, name: "a,b", accelerator: .emulation, cpuModel: "max", cpus: 2,
            memory: 512 << 20,
            boot: .unified(firmware: "/usr/share/seabios/bios-256k.bin", unifiedKernel: "/dev/null"), devices: devices,
            qmp: 3
        ).arguments
        let (kernel, rest) = (try #require(plain.firstIndex(of: "-kernel")), devices.arguments(isConfidential: false))
        let arguments =
            plain[..<kernel] + plain[(kernel + 2)...].dropLast(rest.count)
            + devices.arguments(isConfidential: isConfidential) + ["-S"]
        let said = OutputTail()
        let process = try await BackgroundProcess.start(
            HostConfinement(account: nil, controlGroup: nil, fileSize: 1 << 30, addressSpace: nil, threads: nil)
                .arguments(Array(arguments)), environment: [:], workingDirectory: folder, inherited: [ends.there]
        ) { said.add($1) }
        close(ends.there)
        do {
            try await qmp.execute("qmp_capabilities")
            try await questions(qmp)
        } catch {
            process.kill()
            _ = await process.ended()
            Issue.record("\(error): \(said.text)")
            return
        }
        _ = try? await qmp.execute("quit")
        #expect(await process.ended() == 0, "\(said.text)")
        #expect(said.text == "")
    }

    @Test("takes our command line, chooses a port, and cuts a network", arguments: [false, true])
    func commandLine(isConfidential: Bool) async throws {
        try await ask(isConfidential: isConfidential) { qmp in
            let table = try await qmp.execute("human-monitor-command", ["command-line": "info usernet"])
            #expect(ForwardedPort.find(in: table.stringValue ?? "", to: MachineDevices.agent) != nil)
            try await qmp.execute("set_link", ["name": "outbound", "up": false])
            let status = try await qmp.execute("query-status")
            #expect(status["status"] == "prelaunch")
            let network = try await qmp.execute("human-monitor-command", ["command-line": "info network"])
            #expect(network.stringValue?.contains("control") == true)
        }
    }

    @Test("what it refuses is an error in its words")
    func refusal() async throws {
        try await ask(isConfidential: false) { qmp in
            await #expect { try await qmp.execute("set_link", ["name": "nowhere", "up": false]) } throws: {
                "\($0)".contains("QEMU refused set_link: Device 'nowhere' not found")
            }
        }
    }

    @Test("the probe of an accelerator tells a guest that runs from one that does not")
    func probe() async {
        // Software runs any guest, given time.
        let working = AcceleratorProbe(qemu: MachineHost.qemu, accelerator: .emulation, deadline: .seconds(120))
        #expect(await working.guest() == .yes)
        let late = AcceleratorProbe(qemu: MachineHost.qemu, accelerator: .emulation, deadline: .milliseconds(50))
        #expect(await late.guest() == .no("a guest that was started showed nothing in 0 seconds"))
        let none = AcceleratorProbe(qemu: "/bin/false", accelerator: .emulation)
        #expect(await none.guest() == .no("a guest that was started does not run"))
    }

    @Test("its objects are listed; a program that is none has no list")
    func objects() async {
        #expect(await QEMUProgram(path: MachineHost.qemu).objects()?.contains("rng-random") == true)
        #expect(await QEMUProgram(path: "/bin/false").objects() == nil)
    }
}
