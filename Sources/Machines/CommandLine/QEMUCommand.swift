// SPDX-License-Identifier: Apache-2.0

/// The command line of one machine, as a value (QEMU, "Invocation").
///
/// The console is QEMU's standard output, QMP is on an inherited descriptor, and every file is named by a path: within
/// the working directory where the machine owns it. What the guest boots from is measured by its kind; what is said here
/// of disks and network is not, and the guest trusts neither.
package struct QEMUCommand: Hashable, Sendable {
    /// What the machine boots from, and how that is measured.
    package enum Boot: Hashable, Sendable {
        /// OVMF with a copy of its pristine variables, and the unified kernel image, measured into the TPM behind `tpm`,
        /// a socket.
        case measured(code: String, variables: String, unifiedKernel: String, tpm: String)
        /// AMD's: kernel, initrd and command line by the hashes that the firmware checks.
        case hashed(firmware: String, kernel: String, initrd: String, commandLine: String)
        /// Intel's: the firmware measures the unified kernel image.
        case unified(firmware: String, unifiedKernel: String)
    }

    /// What a process may not do once it runs: nothing that a machine needs.
    package static let sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

    package let program: String
    /// Shown by `ps`; says whose machine it is.
    package let name: String
    package let accelerator: Accelerator
    package let cpuModel: String
    package let cpus: Int
    /// Bytes, whole MiB.
    package let memory: Int64
    package let boot: Boot
    package let guest: ConfidentialGuest?
    package let devices: MachineDevices
    /// The number of QMP's connected socket in the new process.
    package let qmp: Int32

    package init(
        program: String, name: String, accelerator: Accelerator, cpuModel: String, cpus: Int, memory: Int64, boot: Boot,
        guest: ConfidentialGuest? = nil, devices: MachineDevices, qmp: Int32
    ) {
        self.program = program
        self.name = name
        self.accelerator = accelerator
        self.cpuModel = cpuModel
        self.cpus = cpus
        self.memory = memory
        self.boot = boot
        self.guest = guest
        self.devices = devices
        self.qmp = qmp
    }

    /// The first is the program.
    package var arguments: [String] {
        let machine = OptionValue("q35").with(guest?.machine ?? [("smm", "off")]).text
        var all = [
            program, "-name", OptionValue("guest=\(OptionValue.escaped(name))").text, "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-sandbox", Self.sandbox, "-machine", machine, "-accel", acceleration,
            "-cpu", cpuModel, "-smp", "\(cpus)", "-m", "\(memory >> 20)M",
        ]
        for object in guest?.objects(memory: memory) ?? [] { all += ["-object", object] }
        all += bootOptions
        all += [
            "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-chardev",
            "socket,id=qmp,fd=\(qmp)", "-mon", "chardev=qmp,mode=control",
        ]
        return all + devices.arguments(isConfidential: guest != nil)
    }

    private var acceleration: String {
        switch accelerator {
        case .kvm: "kvm"
        case .emulation: "tcg,thread=multi"
        }
    }

    private var bootOptions: [String] {
        switch boot {
        case .measured(let code, let variables, let kernel, let tpm):
            [
                "-drive", Self.flash(0, code).with("readonly", "on").text, "-drive", Self.flash(1, variables).text,
                "-chardev", OptionValue("socket").with("id", "tpm").with("path", tpm).text, "-tpmdev",
                "emulator,id=tpm,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm", "-kernel", kernel,
            ]
        case .hashed(let firmware, let kernel, let initrd, let commandLine):
            ["-bios", firmware, "-kernel", kernel, "-initrd", initrd, "-append", commandLine]
        case .unified(let firmware, let kernel): ["-bios", firmware, "-kernel", kernel]
        }
    }

    private static func flash(_ unit: Int, _ file: String) -> OptionValue {
        OptionValue("if=pflash").with("unit", unit).with("format", "raw").with("file", file)
    }
}
