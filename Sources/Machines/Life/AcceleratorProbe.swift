// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes
internal import Synchronization

/// Finds out whether KVM runs a guest, by running one. That there is a `/dev/kvm` does not mean that it does: nested
/// virtualization is often there in part.
///
/// The guest is UEFI firmware with nothing to boot: long mode, paging, timers and interrupts, floating point. When it
/// writes to its serial port, it has come far enough.
package struct AcceleratorProbe: Sendable {
    package static let deadline = Duration.seconds(20)

    let qemu: String
    let accelerator: Accelerator
    let deadline: Duration

    package init(qemu: String, accelerator: Accelerator = .kvm, deadline: Duration = Self.deadline) {
        self.qemu = qemu
        self.accelerator = accelerator
        self.deadline = deadline
    }

    package func kvm() async -> HostFacts.Answer {
        guard access("/dev/kvm", F_OK) == 0 else {
            return .no(
                "there is no /dev/kvm: switch virtualization on in the firmware, or, in a virtual machine, nested "
                    + "virtualization on its host")
        }
        guard access("/dev/kvm", R_OK | W_OK) == 0 else {
            return .no("/dev/kvm cannot be opened by this user: join the group kvm")
        }
        return await guest()
    }

    /// Whether a guest runs.
    package func guest() async -> HostFacts.Answer {
        let firmware: MachineFirmware
        do throws(MachineError) { firmware = try MachineFirmware(for: .vtpm) } catch { return .no(error.message) }
        let news = OneTimeValue<HostFacts.Answer>()
        let errors = OutputTail()
        let process: BackgroundProcess
        do throws(ProcessError) {
            process = try await BackgroundProcess.start(
                confinement.arguments(arguments(firmware)), environment: ["LC_ALL": "C.UTF-8"]
            ) { isError, bytes in
                guard isError else { return news.set(.yes) }
                errors.add(bytes)
                if errors.text.contains("KVM internal error") { news.set(Self.failed(errors.text)) }
            }
        } catch {
            return .no(error.message)
        }
        let clock = Task {
            try await Task.sleep(for: deadline)
            news.set(.no("a guest that was started showed nothing in \(deadline.components.seconds) seconds"))
        }
        let watch = Task {
            _ = await process.ended()
            news.set(Self.failed(errors.text))
        }
        let answer = await news.value()
        clock.cancel()
        process.kill()
        await watch.value
        return answer
    }

    private var confinement: HostConfinement {
        HostConfinement(
            account: MachineFolder.account(of: geteuid() == 0 ? MachineFolder.firstUser - 1 : nil, .vtpm),
            controlGroup: nil, fileSize: 1 << 20, addressSpace: nil, threads: nil)
    }

    private func arguments(_ firmware: MachineFirmware) -> [String] {
        func flash(_ unit: Int, _ file: String) -> [String] {
            let value = OptionValue("if=pflash").with("unit", unit).with("format", "raw").with("readonly", "on")
            return ["-drive", value.with("file", file).text]
        }
        let isKVM = accelerator == .kvm
        return [
            qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-sandbox", QEMUCommand.sandbox,
            "-machine", "q35,smm=off", "-accel", isKVM ? "kvm" : "tcg", "-cpu", isKVM ? "host" : "max", "-m", "128M",
        ] + flash(0, firmware.code) + flash(1, firmware.variables ?? firmware.code)
            + ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
    }

    private static func failed(_ errors: String) -> HostFacts.Answer {
        let lines = errors.split(whereSeparator: \.isNewline).filter { !$0.contains("warning:") }
        let why = lines.first.map { ": \($0)" } ?? ""
        return .no("a guest that was started does not run\(why)")
    }
}
