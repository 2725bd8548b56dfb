// SPDX-License-Identifier: Apache-2.0

/// What a host has that machines need, as it was found; what follows from it is decided without looking again.
package struct HostFacts: Hashable, Sendable {
    /// Whether KVM runs a guest; otherwise why not, as a sentence's part.
    package var kvm: Answer
    /// Objects of this QEMU; `nil` where it cannot be run.
    package var objects: Set<String>?
    package var qemu: String
    /// `/dev/sev`, as machines may open it.
    package var sevDevice: Answer
    /// `/sys/module/kvm_amd/parameters/sev_snp`.
    package var snpParameter: String?
    /// `/sys/module/kvm_intel/parameters/tdx`.
    package var tdxParameter: String?
    /// Why a kind's firmware cannot be used.
    package var firmware: [MachineKind: String]
    /// Programs that making a TPM lacks, with the packages that have them.
    package var missingPrograms: [String: String]

    package enum Answer: Hashable, Sendable {
        case yes
        case no(String)
    }

    package init(
        kvm: Answer, objects: Set<String>?, qemu: String, sevDevice: Answer, snpParameter: String?,
        tdxParameter: String?, firmware: [MachineKind: String], missingPrograms: [String: String]
    ) {
        self.kvm = kvm
        self.objects = objects
        self.qemu = qemu
        self.sevDevice = sevDevice
        self.snpParameter = snpParameter
        self.tdxParameter = tdxParameter
        self.firmware = firmware
        self.missingPrograms = missingPrograms
    }

    /// What a kind lacks here: a sentence for each, with what to do. Empty where it can be had.
    package func lacks(_ kind: MachineKind) -> [String] {
        guard let objects else { return ["\(qemu) cannot be run: apt install qemu-system-x86"] }
        let own =
            switch kind {
            case .snp: lacksSNP(objects)
            case .tdx: lacksTDX(objects)
            case .vtpm: lacksTPM(objects)
            }
        return own + [firmware[kind]].compactMap(\.self)
    }

    private func lacksSNP(_ objects: Set<String>) -> [String] {
        var all = lacksKVM
        if case .no(let why) = sevDevice { all.append(why) }
        if !Self.isOn(snpParameter) {
            all.append(
                "the kernel has SEV-SNP not in use (/sys/module/kvm_amd/parameters/sev_snp is "
                    + "\(snpParameter ?? "missing")): it takes an AMD EPYC of the third generation or later, SEV-SNP "
                    + "switched on in its firmware, and Linux 6.11 or later")
        }
        if !objects.contains("sev-snp-guest") {
            all.append("\(qemu) has no sev-snp-guest: it takes QEMU 9.1 or later")
        }
        return all
    }

    private func lacksTDX(_ objects: Set<String>) -> [String] {
        var all = lacksKVM
        if !Self.isOn(tdxParameter) {
            all.append(
                "the kernel has TDX not in use (/sys/module/kvm_intel/parameters/tdx is \(tdxParameter ?? "missing")): "
                    + "it takes an Intel Xeon with TDX switched on in its firmware, and Linux 6.16 or later with "
                    + "kvm_intel.tdx=1")
        }
        if !objects.contains("tdx-guest") {
            all.append("\(qemu) has no tdx-guest: it takes QEMU 10.1 or later")
        }
        return all
    }

    private func lacksTPM(_ objects: Set<String>) -> [String] {
        missingPrograms.sorted { $0.key < $1.key }.map { "\($0.key) is missing: apt install \($0.value)" }
    }

    private var lacksKVM: [String] {
        guard case .no(let why) = kvm else { return [] }
        return ["KVM cannot be used: \(why)"]
    }

    private static func isOn(_ parameter: String?) -> Bool { parameter == "Y" || parameter == "1" }
}
