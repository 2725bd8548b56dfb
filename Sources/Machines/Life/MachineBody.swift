// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Foundation
internal import Processes
internal import StrictJSON
internal import Synchronization

/// What a machine consists of on its host: a folder, processes, a cgroup, a console. It can be ended at any time, however
/// much of it there is, and then none is left.
final class MachineBody: Sendable {
    private struct State {
        var hardware: BackgroundProcess?
        var tpm: BackgroundProcess?
        var qmp: QMPConnection?
        /// Why the guest stopped, as QEMU has it: "guest-shutdown".
        var shutdown: String?
        var isKilled = false
    }

    let folder: MachineFolder
    let console = MachineConsole()
    private let tpmOutput = OutputTail()
    private let group: ControlGroup?
    private let state = Mutex(State())

    init(folder: MachineFolder, group: ControlGroup?) {
        self.folder = folder
        self.group = group
    }

    /// The folder of the cgroup that all of it is in.
    var groupPath: String? { group?.path }

    /// Whether QEMU or the TPM has ended.
    var isLost: Bool {
        state.withLock { $0.hardware?.status != nil || $0.tpm?.status != nil }
    }

    /// What the TPM said last, for people: ": no such folder".
    var wordsOfTPM: String {
        tpmOutput.text.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
    }

    var qmp: QMPConnection? { state.withLock { $0.qmp } }

    /// Starts the TPM.
    func startTPM(_ arguments: [String], confinement: HostConfinement) async throws(MachineError) -> BackgroundProcess {
        let process = try await start(confinement.arguments(arguments), inherited: []) { [tpmOutput] _, bytes in
            tpmOutput.add(bytes)
        }
        keep(process) { $0.tpm = process }
        return process
    }

    /// Starts QEMU, which gets `files` as descriptors 3, 4 and so on, and after them its monitor.
    func startHardware(
        _ command: QEMUCommand, confinement: HostConfinement, files: [Int32]
    ) async throws(MachineError) -> QMPConnection {
        let ends = try QMPConnection.pair()
        let qmp = QMPConnection(descriptor: ends.here) { [weak self] in self?.happened($0, $1) }
        defer { close(ends.there) }
        do throws(MachineError) {
            let process = try await start(
                confinement.arguments(command.arguments), inherited: files + [ends.there]
            ) { [console] isError, bytes in console.add(bytes, isError: isError) }
            keep(process) {
                $0.hardware = process
                $0.qmp = qmp
            }
            return qmp
        } catch {
            qmp.close()
            throw error
        }
    }

    /// Returns when QEMU or the TPM has ended: why the machine is none any more.
    func loss() async -> MachineError {
        let (hardware, tpm) = state.withLock { ($0.hardware, $0.tpm) }
        return await withTaskGroup(of: (isTPM: Bool, status: Int32).self) { group in
            if let hardware { group.addTask { (false, await hardware.ended()) } }
            if let tpm { group.addTask { (true, await tpm.ended()) } }
            var first = await group.next()
            // The TPM ends when QEMU does, and may be seen first.
            if first?.isTPM == true, let hardware, await Self.endsSoon(hardware) { first = await group.next() }
            let reason = reason(isTPM: first?.isTPM ?? false, status: first?.status ?? 0)
            kill()
            return reason
        }
    }

    /// Kills what runs. Returns at once.
    func kill() {
        let (processes, qmp) = state.withLock { state in
            state.isKilled = true
            return ([state.hardware, state.tpm].compactMap(\.self), state.qmp)
        }
        for process in processes { process.kill() }
        group?.kill()
        qmp?.close()
    }

    /// Kills what runs, waits for its end, and removes every trace. Can be called more than once.
    func end() async {
        kill()
        let processes = state.withLock { [$0.hardware, $0.tpm].compactMap(\.self) }
        for process in processes { _ = await process.ended() }
        console.end()
        group?.remove()
        folder.remove()
    }

    private static func endsSoon(_ process: BackgroundProcess) async -> Bool {
        for _ in 0..<50 where process.status == nil { try? await Task.sleep(for: .milliseconds(20)) }
        return process.status != nil
    }

    private func start(
        _ arguments: [String], inherited: [Int32], output: @escaping BackgroundProcess.Output
    ) async throws(MachineError) -> BackgroundProcess {
        do {
            return try await BackgroundProcess.start(
                arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"], workingDirectory: folder.path,
                inherited: inherited, output: output)
        } catch {
            throw MachineError(.start, error.message)
        }
    }

    /// A process that comes after the end was asked for ends at once.
    private func keep(_ process: BackgroundProcess, _ change: (inout sending State) -> Void) {
        let isKilled = state.withLock { state in
            change(&state)
            return state.isKilled
        }
        if isKilled { process.kill() }
    }

    private func happened(_ name: String, _ data: JSONValue) {
        switch name {
        case "SHUTDOWN": state.withLock { $0.shutdown = data["reason"]?.stringValue }
        case "BLOCK_IO_ERROR" where data["nospace"] == .bool(true):
            console.note("host: there is no room left for the machine's disk")
        case "BLOCK_IO_ERROR": console.note("host: the machine's disk \(data["node-name"]?.stringValue ?? "") fails")
        default: break
        }
    }

    private func reason(isTPM: Bool, status: Int32) -> MachineError {
        let shutdown = state.withLock { $0.shutdown }
        let how =
            switch (isTPM, status, shutdown) {
            case (true, _, _): "the machine's TPM ended (\(Self.words(status)))\(wordsOfTPM)"
            case (false, 0, "guest-shutdown"): "the machine powered itself off"
            case (false, 0, "guest-reset"): "the machine wanted to start again, as it does after a crash"
            case (false, 0, "guest-panic"): "the machine's kernel crashed"
            default: "the machine's QEMU ended (\(Self.words(status)))"
            }
        let memory = group.map { $0.count("oom_kill", in: "memory.events") > 0 } ?? false
        return MachineError(.ended, how + (memory ? ": it needed more memory than it may have" : ""))
    }

    private static func words(_ status: Int32) -> String {
        switch status {
        case 128 + SIGKILL: "somebody killed it, or the system did for want of memory"
        case 129...: "signal \(status - 128)"
        default: "status \(status)"
        }
    }
}
