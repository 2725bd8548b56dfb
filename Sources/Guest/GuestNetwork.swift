// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The machine's network: one interface to which the host forwards the API, and perhaps one that leads out.
///
/// Addresses are fixed: the host's end is QEMU's user network (QEMU, "Network emulation"), which gives no others.
public struct GuestNetwork: Sendable {
    /// The hardware address of the interface that the API is reached through.
    public static let controlAddress = "52:54:00:c0:be:01"
    /// That of the interface that sources are fetched through.
    public static let outboundAddress = "52:54:00:c0:be:02"
    private static let nameServer = "10.0.3.3"
    /// Users that builds run as, as the sandbox numbers them.
    private static let buildUsers = "1900000000-1900131071"

    let control: String
    /// `nil` in a machine that fetches nothing.
    let outbound: String?

    public init(_ devices: Devices) throws(GuestError) {
        guard let control = try devices.interface(address: Self.controlAddress) else {
            throw GuestError("no network interface has the address \(Self.controlAddress), which the API needs")
        }
        self.control = control
        outbound = try devices.interface(address: Self.outboundAddress)
    }

    /// Sets the interfaces up, and writes who resolves names to `resolverFile`.
    public func begin(resolverFile: String) throws(GuestError) {
        try SystemProgram.network.run(["-batch", SystemProgram.firstPipe], input: Array(batch.utf8))
        guard FileManager.default.createFile(atPath: resolverFile, contents: Data(resolver.utf8)) else {
            throw GuestError("\(resolverFile) could not be written")
        }
    }

    /// Commands of ip(8). Build users, who have a network while they fetch, reach neither this machine's own addresses
    /// nor the control network: the rules that say so come before the one that knows local addresses.
    package var batch: String {
        var lines = [
            "link set lo up", "link set \(control) up", "address add 10.0.2.15/24 dev \(control)",
            "rule add pref 100 lookup local", "rule add pref 10 uidrange \(Self.buildUsers) to 127.0.0.0/8 prohibit",
            "rule add pref 10 uidrange \(Self.buildUsers) to 10.0.2.0/24 prohibit", "rule delete pref 0",
        ]
        if let outbound {
            lines += [
                "link set \(outbound) up", "address add 10.0.3.15/24 dev \(outbound)",
                "rule add pref 10 uidrange \(Self.buildUsers) to 10.0.3.15 prohibit",
                "route add default via 10.0.3.2 dev \(outbound)",
            ]
        }
        return lines.map { $0 + "\n" }.joined()
    }

    package var resolver: String { outbound == nil ? "" : "nameserver \(Self.nameServer)\n" }
}
