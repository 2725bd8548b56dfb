// SPDX-License-Identifier: Apache-2.0
import Machines
import Testing

@Suite("Which machines a host can have") struct HostFactsTests {
    private static func facts(_ change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        var facts = HostFacts(
            kvm: .yes, objects: ["sev-snp-guest", "tdx-guest", "rng-random"], qemu: "/q", sevDevice: .yes,
            snpParameter: "Y", tdxParameter: "Y", firmware: [:], missingPrograms: [:])
        change(&facts)
        return facts
    }

    @Test("with everything there is nothing lacking, and the strongest is taken")
    func everything() {
        let host = MachineHost(Self.facts())
        for kind in MachineKind.allCases { #expect(host.lacks(kind) == []) }
        #expect(host.strongest == .snp)
        #expect(host.accelerator == .kvm)
        #expect(host.whyEmulated == nil)
    }

    @Test(
        "each thing that is missing is said, for the kinds that need it",
        arguments: [
            ("KVM", [MachineKind.snp, .tdx], { @Sendable in $0.kvm = .no("it is broken") }),
            ("cannot be run", [.snp, .tdx, .vtpm], { $0.objects = nil }),
            ("has no sev-snp-guest", [.snp], { $0.objects = ["tdx-guest"] }),
            ("has no tdx-guest", [.tdx], { $0.objects = ["sev-snp-guest"] }),
            ("/dev/sev is gone", [.snp], { $0.sevDevice = .no("/dev/sev is gone") }),
            ("sev_snp is N", [.snp], { $0.snpParameter = "N" }),
            ("sev_snp is missing", [.snp], { $0.snpParameter = nil }),
            ("tdx is 0", [.tdx], { $0.tdxParameter = "0" }), ("tdx is missing", [.tdx], { $0.tdxParameter = nil }),
            ("no firmware", [.tdx], { $0.firmware = [.tdx: "no firmware"] }),
            ("apt install swtpm-tools", [.vtpm], { $0.missingPrograms = ["swtpm_setup": "swtpm-tools"] }),
        ] as [(String, [MachineKind], @Sendable (inout HostFacts) -> Void)])
    func missing(words: String, kinds: [MachineKind], change: @Sendable (inout HostFacts) -> Void) {
        let host = MachineHost(Self.facts(change))
        for kind in MachineKind.allCases {
            let lacks = host.lacks(kind)
            #expect(lacks.contains { $0.contains(words) } == kinds.contains(kind), "\(kind): \(lacks)")
            #expect(lacks.isEmpty != kinds.contains(kind))
        }
        #expect(host.strongest == MachineKind.allCases.first { !kinds.contains($0) })
    }

    @Test("without KVM it says why, and what is lost")
    func emulation() {
        let host = MachineHost(Self.facts { $0.kvm = .no("there is no /dev/kvm") })
        #expect(host.accelerator == .emulation)
        #expect(host.whyEmulated?.contains("there is no /dev/kvm") == true)
        #expect(host.whyEmulated?.contains("ten to twenty times as long") == true)
    }
}
