// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes
internal import StrictJSON

/// Starts one machine and waits until its agent answers.
package struct MachineLaunch: Sendable {
    let settings: MachineSettings
    let report: @Sendable (String) -> Void

    package init(settings: MachineSettings, report: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.report = report
    }

    /// Returns a machine that is ready. Throws ``MachineError`` with the console's last lines where there is none before
    /// the deadline; then, and on cancellation, nothing is left of it.
    package func run() async throws(MachineError) -> Machine {
        try settings.check()
        let start = ContinuousClock.now
        let body = try makeBody()
        do throws(MachineError) {
            let address = try await boot(body, deadline: start + settings.bootDeadline)
            report("the machine booted in \(Self.seconds(ContinuousClock.now - start)) s")
            return Machine(address: address, body: body, network: settings.network, silence: settings.silence)
        } catch {
            await body.end()
            throw MachineError(error.code, error.message + body.console.lastWords)
        }
    }

    private func makeBody() throws(MachineError) -> MachineBody {
        let folder = try MachineFolder.make(in: settings.folder)
        do throws(MachineError) {
            try folder.makeDisk(size: settings.disk)
            if let variables = settings.firmware.variables { try folder.copyVariables(from: variables) }
            return MachineBody(folder: folder, group: try makeGroup(folder.name))
        } catch {
            folder.remove()
            throw error
        }
    }

    private func makeGroup(_ name: String) throws(MachineError) -> ControlGroup? {
        do {
            return try ControlGroups.delegated()?.make(
                name, memory: settings.memory + MachineSettings.overhead, processes: 1024)
        } catch {
            throw MachineError(.start, error.message)
        }
    }

    private func boot(_ body: MachineBody, deadline: ContinuousClock.Instant) async throws(MachineError) -> String {
        let files = try MachineFiles(settings)
        defer { files.close() }
        if settings.kind == .vtpm { try await startTPM(body) }
        try checkCancellation()
        report("starting a machine (\(settings.kind.rawValue), \(settings.accelerator.rawValue))")
        let qmp = try await body.startHardware(
            try files.command(settings, body.folder), confinement: confinement(body), files: files.descriptors)
        return try await race(body) { () async throws(MachineError) in
            try await qmp.execute("qmp_capabilities")
            let address = "http://127.0.0.1:\(try await port(qmp))"
            try await awaitHealth(HealthProbe(address: address), deadline: deadline)
            return address
        }
    }

    /// The TPM's socket must be there before QEMU looks for it.
    private func startTPM(_ body: MachineBody) async throws(MachineError) {
        let tpm = try await MachineTPM.make(
            in: body.folder.path, authority: try TPMAuthority(folder: settings.tpmAuthority))
        try body.folder.giveAll("tpm")
        let process = try await body.startTPM(
            try MachineFiles.tpm.arguments, confinement: confinement(body))
        let end = ContinuousClock.now + .seconds(20)
        while access(tpm.socket, F_OK) != 0 {
            guard process.status == nil, ContinuousClock.now < end else {
                throw MachineError(.start, "the machine's TPM did not start\(body.wordsOfTPM)")
            }
            try await pause(.milliseconds(10))
        }
    }

    private func port(_ qmp: QMPConnection) async throws(MachineError) -> Int {
        let table = try await qmp.execute("human-monitor-command", ["command-line": "info usernet"]).stringValue ?? ""
        guard let port = ForwardedPort.find(in: table, to: MachineDevices.agent) else {
            throw MachineError(.start, "QEMU forwards no port to the machine's agent")
        }
        return port
    }

    private func awaitHealth(_ probe: HealthProbe, deadline: ContinuousClock.Instant) async throws(MachineError) {
        while true {
            let left = deadline - .now
            guard left > .zero else {
                throw MachineError(
                    .deadline,
                    "the machine did not answer within \(settings.bootDeadline.components.seconds) seconds "
                        + "of its start (machine.boot_seconds)")
            }
            if await probe.isAnswered(within: min(left, .seconds(2))) { return }
            try await pause(.milliseconds(100))
        }
    }

    /// Does the work, unless the machine is lost before it is done, or the task cancelled.
    private func race(
        _ body: MachineBody, _ work: @escaping @Sendable () async throws(MachineError) -> String
    ) async throws(MachineError) -> String {
        let result = await withTaskGroup(of: Result<String, MachineError>?.self) { group in
            group.addTask {
                do throws(MachineError) {
                    return .success(try await work())
                } catch {
                    // A monitor that is gone says less than how QEMU ended.
                    let loss = error.code == .ended ? await Self.loss(of: body, within: .seconds(2)) : nil
                    return loss ?? .failure(error)
                }
            }
            group.addTask { await Self.loss(of: body, within: nil) }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        try checkCancellation()
        return try (result ?? .failure(Self.unwanted)).get()
    }

    /// Why the machine is lost, once it is; `nil` where the task is cancelled or the time over. It looks, since what
    /// waits for a process cannot be called off.
    private static func loss(of body: MachineBody, within limit: Duration?) async -> Result<String, MachineError>? {
        let end = limit.map { ContinuousClock.now + $0 }
        while !Task.isCancelled, end.map({ ContinuousClock.now < $0 }) ?? true {
            if body.isLost { return .failure(await body.loss()) }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    private func confinement(_ body: MachineBody) -> HostConfinement {
        HostConfinement(
            account: MachineFolder.account(of: body.folder.user, settings.kind),
            controlGroup: body.groupPath, fileSize: max(settings.disk, settings.memory),
            addressSpace: body.groupPath == nil ? settings.memory + 16 * MachineSettings.overhead : nil,
            threads: body.folder.user == nil ? nil : 1024)
    }

    private static let unwanted = MachineError(.cancelled, "the machine is not wanted any longer")

    private func checkCancellation() throws(MachineError) {
        guard !Task.isCancelled else { throw Self.unwanted }
    }

    private func pause(_ duration: Duration) async throws(MachineError) {
        try? await Task.sleep(for: duration)
        try checkCancellation()
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
