// SPDX-License-Identifier: Apache-2.0

/// The disks, network cards and the source of randomness of a machine, as the guest finds them.
package struct MachineDevices: Hashable, Sendable {
    /// By which the guest tells its disks and cards apart.
    package enum Name {
        package static let root = "cupel-root"
        package static let scratch = "cupel-scratch"
        package static let control = "52:54:00:c0:be:01"
        package static let outbound = "52:54:00:c0:be:02"
    }

    /// The id of the card that leads out, for QMP.
    package static let outbound = "outbound"
    static let control = "control"
    /// Where the guest's agent listens.
    package static let agent = "10.0.2.15:8080"

    /// Path of the image's read-only root.
    package let root: String
    /// Path of the machine's own disk.
    package let scratch: String
    package let network: MachineNetwork

    package init(root: String, scratch: String, network: MachineNetwork) {
        self.root = root
        self.scratch = scratch
        self.network = network
    }

    /// - Parameter isConfidential: the guest's memory is not the host's to read; devices go through what the guest shares.
    package func arguments(isConfidential: Bool) -> [String] {
        let extra = isConfidential ? [("disable-legacy", "on"), ("iommu_platform", "on")] : []
        func device(_ model: String) -> OptionValue { OptionValue(model).with("romfile", "").with(extra) }
        func card(_ network: String, _ address: String) -> [String] {
            ["-device", device("virtio-net-pci").with("netdev", network).with("mac", address).text]
        }
        var all = disk("root", root, serial: Name.root, isReadOnly: true, device)
        all += disk("scratch", scratch, serial: Name.scratch, isReadOnly: false, device)
        // Nobody but this host reaches the agent, and the agent reaches nobody: not the host's own services either.
        all += ["-netdev", "user,id=\(Self.control),restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:0-\(Self.agent)"]
        all += card(Self.control, Name.control)
        if network == .user {
            all += [
                "-netdev", "user,id=\(Self.outbound),ipv6=off,net=10.0.3.0/24,dhcpstart=10.0.3.15,dns=10.0.3.3",
            ]
            all += card(Self.outbound, Name.outbound)
        }
        return all + ["-device", device("virtio-rng-pci").text]
    }

    /// A disk that is full or broken is told to the guest, and does not stop it.
    private func disk(
        _ id: String, _ file: String, serial: String, isReadOnly: Bool, _ device: (String) -> OptionValue
    ) -> [String] {
        let node = OptionValue("driver=raw").with("node-name", id).with("read-only", isReadOnly ? "on" : "off")
            .with("file.driver", "file").with("file.filename", file)
        let frontend = device("virtio-blk-pci").with("drive", id).with("serial", serial)
            .with(isReadOnly ? [] : [("werror", "report"), ("rerror", "report")])
        return ["-blockdev", node.text, "-device", frontend.text]
    }
}
