// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes

/// What machines this host can have, and what not, with reasons for people.
public struct MachineHost: Sendable {
    /// Debian's.
    public static let qemu = "/usr/bin/qemu-system-x86_64"

    let facts: HostFacts

    package init(_ facts: HostFacts) { self.facts = facts }

    /// Looks at this host. Where there is KVM, a guest is started to see whether it runs one: that may take
    /// ``AcceleratorProbe/deadline``.
    ///
    /// - Parameters:
    ///   - firmware: of the operator's choice; it stands for the kind that is asked about.
    public static func look(qemu: String = Self.qemu, firmware: String? = nil) async -> MachineHost {
        var missing: [String: String] = [:]
        for (program, package) in MachineTPM.missingPrograms { missing[program] = package }
        var lackingFirmware: [MachineKind: String] = [:]
        for kind in MachineKind.allCases {
            do { _ = try MachineFirmware(for: kind, path: firmware) } catch { lackingFirmware[kind] = error.message }
        }
        return MachineHost(
            HostFacts(
                kvm: await AcceleratorProbe(qemu: qemu).kvm(), objects: await QEMUProgram(path: qemu).objects(),
                qemu: qemu, sevDevice: sevDevice, snpParameter: parameter("kvm_amd/parameters/sev_snp"),
                tdxParameter: parameter("kvm_intel/parameters/tdx"), firmware: lackingFirmware,
                missingPrograms: missing))
    }

    /// What the kind lacks here: a sentence for each, with what to do. Empty where it can be had.
    public func lacks(_ kind: MachineKind) -> [String] { facts.lacks(kind) }

    /// The strongest kind that can be had here.
    public var strongest: MachineKind? { MachineKind.allCases.first { lacks($0).isEmpty } }

    /// KVM where a guest runs with it, otherwise emulation.
    public var accelerator: Accelerator { facts.kvm == .yes ? .kvm : .emulation }

    /// What is lost with emulation and why there is no KVM; `nil` where there is.
    public var whyEmulated: String? {
        guard case .no(let why) = facts.kvm else { return nil }
        return
            "machines are emulated in software, since KVM cannot be used (\(why)): what is measured is the same, but a "
            + "machine takes about half a minute to boot, and builds take ten to twenty times as long"
    }

    // MARK: Devices

    private static let kvmDevice = "/dev/kvm"
    private static let secureProcessor = "/dev/sev"
    private static let quoting = "/var/run/tdx-qgs/qgs.socket"
    private static let quotingPort = 4050

    /// Where the host's quoting service listens: at its socket, where there is one, otherwise at its port.
    static var quoteGeneration: ConfidentialGuest.QuoteGeneration {
        access(quoting, F_OK) == 0 ? .unix(path: quoting) : .vsock(port: quotingPort)
    }

    /// The groups that a machine's user needs for the devices of its kind. None is root's.
    static func deviceGroups(_ kind: MachineKind) -> [UInt32] {
        let devices = [kvmDevice] + (kind == .snp ? [secureProcessor] : []) + (kind == .tdx ? [quoting] : [])
        return Set(devices.compactMap(group)).subtracting([0]).sorted()
    }

    private static func group(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_gid : nil
    }

    private static var sevDevice: HostFacts.Answer {
        var status = stat()
        guard stat(secureProcessor, &status) == 0 else {
            return .no("\(secureProcessor) is missing: the kernel found no AMD secure processor (module ccp)")
        }
        let isOpenToMachines = status.st_mode & 0o006 == 0o006 || status.st_gid != 0 && status.st_mode & 0o060 == 0o060
        guard geteuid() != 0 || isOpenToMachines else {
            return .no(
                "\(secureProcessor) is for root alone, and machines do not run as root: give it to the group kvm with "
                    + "mode 0660, by a rule of udev (KERNEL==\"sev\", GROUP=\"kvm\", MODE=\"0660\")")
        }
        guard access(secureProcessor, R_OK | W_OK) == 0 else {
            return .no("\(secureProcessor) cannot be opened by this user: join its group")
        }
        return .yes
    }

    private static func parameter(_ name: String) -> String? {
        ProcessTable.text("/sys/module/\(name)")?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
