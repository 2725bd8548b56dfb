// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer
import Machines

/// What each place in which builds can run needs, and lacks here.
struct IsolationChecks {
    let configuration: Configuration
    private let host: MachineHost

    init(_ configuration: Configuration) async {
        self.configuration = configuration
        let firmware = configuration.machines.firmware
        host = await MachineHost.look(firmware: firmware == "auto" ? nil : firmware)
    }

    var all: [HostCheck] { [kvm] + MachineKind.allCases.map(machines) + [image, choice] }

    private var kvm: HostCheck {
        let why = host.whyEmulated
        return HostCheck(name: "KVM", state: why == nil ? .present : .absent, detail: why ?? "a guest runs with it")
    }

    private func machines(_ kind: MachineKind) -> HostCheck {
        let lacks = host.lacks(kind)
        let what =
            kind == .vtpm
            ? "measured by a TPM in software, not confidential" : "confidential: their host cannot read them"
        return HostCheck(
            name: "machines: \(kind.rawValue)", state: lacks.isEmpty ? .present : .absent,
            detail: lacks.isEmpty ? what : lacks[0], remedy: lacks.dropFirst().joined(separator: "; "))
    }

    private var image: HostCheck {
        let name = "machines: image"
        let folder = configuration.machines.image
        guard folder != "none" else {
            return HostCheck(
                name: name, state: .absent, detail: "machine.image is not set",
                remedy: "make one with 'cupel image build'; needed for --isolation vm")
        }
        do {
            return HostCheck(name: name, state: .present, detail: try MachineImage(folder: folder).folder)
        } catch {
            return HostCheck(name: name, state: .missing, detail: error.message, remedy: "'cupel serve' does not start")
        }
    }

    /// What `cupel serve` would choose.
    private var choice: HostCheck {
        do {
            let choice = try BuildPlaceChoice(configuration) { () throws(ConfigurationError) in
                try ConfidentialMachine.platform()
            }
            return HostCheck(
                name: "isolation", state: .present,
                detail: "'\(configuration.isolation)' means '\(choice.place.rawValue)' here: \(choice.reason)")
        } catch {
            return HostCheck(
                name: "isolation", state: .missing, detail: error.message, remedy: error.hint ?? "")
        }
    }
}
