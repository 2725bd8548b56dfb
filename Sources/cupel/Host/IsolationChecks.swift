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
        host = await MachineHost.look(firmware: configuration.machines.namedFirmware)
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
            let image = try MachineImage(folder: folder)
            // The folders are those of no service.
            let settings = try MachineSettings.meant(
                by: configuration.machines, image: image, on: host, folder: "/", tpmAuthority: "/")
            return HostCheck(
                name: name, state: .present, detail: "\(image.folder), for the kind \(settings.kind.rawValue)")
        } catch {
            let failure = CommandFailure(error)
            guard (try? chosen())?.place == .machine else {
                return HostCheck(name: name, state: .absent, detail: failure.message, remedy: failure.hint ?? "")
            }
            let remedy = [failure.hint, "until then 'cupel serve' does not start"].compactMap(\.self)
            return HostCheck(
                name: name, state: .missing, detail: failure.message, remedy: remedy.joined(separator: "; "))
        }
    }

    /// What `cupel serve` would choose.
    private var choice: HostCheck {
        do {
            let choice = try chosen()
            return HostCheck(
                name: "isolation", state: .present,
                detail: "'\(configuration.isolation)' means '\(choice.place.rawValue)' here: \(choice.reason)")
        } catch {
            return HostCheck(
                name: "isolation", state: .missing, detail: error.message, remedy: error.hint ?? "")
        }
    }

    private func chosen() throws(ConfigurationError) -> BuildPlaceChoice {
        try BuildPlaceChoice(configuration) { () throws(ConfigurationError) in try ConfidentialMachine.platform() }
    }
}
