// SPDX-License-Identifier: Apache-2.0

/// What isolates and measures a machine.
public enum MachineKind: String, Sendable, CaseIterable {
    /// AMD SEV-SNP: the host can neither read nor change it; the processor measures it.
    case snp
    /// Intel TDX: likewise.
    case tdx
    /// A software TPM measures it: it shows to everyone but the host's operator what was booted. Nothing hides it from
    /// the host.
    case vtpm
}

/// What executes a machine's instructions.
public enum Accelerator: String, Sendable {
    /// The processor itself, by Linux's KVM.
    case kvm
    /// QEMU, in software: the same machine and the same measurements, ten to twenty times slower.
    case emulation
}

/// What a machine can reach.
public enum MachineNetwork: String, Sendable, CaseIterable {
    /// The network of its host, through QEMU, until the build begins.
    case user
    /// Nothing at all.
    case none
}

/// How machines are made: one value for all machines of a service.
public struct MachineSettings: Sendable {
    public var image: MachineImage
    public var kind: MachineKind
    public var accelerator: Accelerator
    public var firmware: MachineFirmware
    /// Virtual processors. Their number and model are part of what SEV-SNP measures.
    public var cpus: Int
    /// Bytes, whole MiB.
    public var memory: Int64
    /// Bytes of the scratch disk; it takes room as it is written to.
    public var disk: Int64
    public var network: MachineNetwork
    /// From the start until the machine's agent answers.
    public var bootDeadline: Duration
    /// How long a machine may give no sign of life, neither an answer nor a line on its console, before it is given up.
    public var silence: Duration
    /// The folder of all machines' state; absolute, this service's alone.
    public var folder: String
    /// The folder of the CA that vouches for the machines' TPMs; absolute. Made where it is not there.
    public var tpmAuthority: String
    /// QEMU's program: an absolute path.
    public var qemu: String
    /// QEMU's name of the processor.
    public var cpuModel: String

    public init(
        image: MachineImage, kind: MachineKind, accelerator: Accelerator, firmware: MachineFirmware, cpus: Int,
        memory: Int64, disk: Int64, network: MachineNetwork = .user, bootDeadline: Duration,
        silence: Duration = .seconds(180), folder: String, tpmAuthority: String, qemu: String = MachineHost.qemu,
        cpuModel: String? = nil
    ) {
        self.image = image
        self.kind = kind
        self.accelerator = accelerator
        self.firmware = firmware
        self.cpus = cpus
        self.memory = memory
        self.disk = disk
        self.network = network
        self.bootDeadline = bootDeadline
        self.silence = silence
        self.folder = folder
        self.tpmAuthority = tpmAuthority
        self.qemu = qemu
        self.cpuModel = cpuModel ?? Self.cpuModel(of: kind, accelerator)
    }

    /// The processor that machines have where nobody names one. SEV-SNP measures the model, so that it must have a name
    /// that means the same everywhere; `host` and `max` do not.
    public static func cpuModel(of kind: MachineKind, _ accelerator: Accelerator) -> String {
        switch (kind, accelerator) {
        case (.snp, _): "EPYC-v4"
        case (_, .kvm): "host"
        case (_, .emulation): "max"
        }
    }

    /// Bytes that a machine takes beside its memory: QEMU's own, code that it translated, the TPM.
    static let overhead: Int64 = 1 << 30

    /// Throws `unusable` where a number is none that a machine can have. Every start of a machine asks this; a service
    /// does at its own start, so that it fails there and not with each build.
    public func check() throws(MachineError) {
        guard kind == .vtpm || accelerator == .kvm else {
            throw MachineError(.unusable, "machines of the kind \(kind.rawValue) need KVM: they cannot be emulated")
        }
        guard (1...255).contains(cpus) else {
            throw MachineError(.unusable, "a machine has 1 to 255 processors, not \(cpus) (machine.cpus)")
        }
        guard memory >= 512 << 20, memory <= 4 << 40, memory & 0xFFFFF == 0 else {
            throw MachineError(
                .unusable, "a machine's memory is whole MiB, at least 512 of them, not \(memory) bytes (machine.memory)"
            )
        }
        guard disk >= 64 << 20, disk <= 64 << 40, disk & 0xFFF == 0 else {
            throw MachineError(
                .unusable, "a machine's disk is whole pages of 4096 bytes, at least 64 MiB, not \(disk) (machine.disk)")
        }
        guard folder.hasPrefix("/") else {
            throw MachineError(.unusable, "the folder of machines must be an absolute path, not '\(folder)'")
        }
    }
}
