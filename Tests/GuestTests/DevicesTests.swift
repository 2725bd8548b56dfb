// SPDX-License-Identifier: Apache-2.0
import Foundation
import Guest
import Testing

@Suite struct DevicesTests {
    /// A folder that looks like sysfs, with these files.
    private static func devices(_ files: [String: String], _ use: (Devices) throws -> Void) throws {
        let sys = NSTemporaryDirectory() + "cupel-sys-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: sys) }
        for (path, text) in files {
            let url = URL(fileURLWithPath: "\(sys)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try use(Devices(sys: sys))
    }

    @Test func aDiskIsFoundByItsSerialNumber() throws {
        let files = ["block/vda/serial": "cupel-root", "block/vdb/serial": "cupel-scratch", "block/dm-0/size": "1"]
        try Self.devices(files) { devices throws in
            #expect(try devices.disk(serial: "cupel-scratch") == "/dev/vdb")
        }
    }

    @Test func aDiskThatIsMissingOrThereTwiceIsRefused() throws {
        try Self.devices(["block/vda/serial": "a\n", "block/vdb/serial": "a"]) { devices throws in
            #expect(throws: GuestError.self) { try devices.disk(serial: "a") }
            #expect(throws: GuestError.self) { try devices.disk(serial: "b") }
        }
    }

    @Test func anInterfaceIsFoundByItsAddress() throws {
        let files = ["class/net/eth0/address": "52:54:00:c0:be:02\n", "class/net/lo/address": "00:00:00:00:00:00\n"]
        try Self.devices(files) { devices throws in
            #expect(try devices.interface(address: "52:54:00:c0:be:02") == "eth0")
            #expect(try devices.interface(address: "52:54:00:c0:be:01") == nil)
        }
    }

    @Test func anAddressThatTwoHaveIsRefused() throws {
        try Self.devices(["class/net/a/address": "x", "class/net/b/address": "x"]) { devices throws in
            #expect(throws: GuestError.self) { try devices.interface(address: "x") }
        }
    }

    @Test func theNetworkNeedsTheControlInterface() throws {
        try Self.devices(["class/net/eth0/address": GuestNetwork.outboundAddress]) { devices throws in
            #expect(throws: GuestError.self) { try GuestNetwork(devices) }
        }
    }

    @Test func withoutAWayOutNoneIsSetUp() throws {
        try Self.devices(["class/net/e0/address": GuestNetwork.controlAddress]) { devices throws in
            let network = try GuestNetwork(devices)
            #expect(network.batch.contains("address add 10.0.2.15/24 dev e0\n"))
            #expect(!network.batch.contains("default") && network.resolver.isEmpty)
        }
    }

    @Test func bothInterfacesGetTheirOwnAddresses() throws {
        let files = [
            "class/net/e0/address": GuestNetwork.outboundAddress, "class/net/e1/address": GuestNetwork.controlAddress,
        ]
        try Self.devices(files) { devices throws in
            let network = try GuestNetwork(devices)
            #expect(network.batch.contains("address add 10.0.2.15/24 dev e1\n"))
            #expect(network.batch.contains("address add 10.0.3.15/24 dev e0\n"))
            #expect(network.batch.contains("route add default via 10.0.3.2 dev e0\n"))
            #expect(network.resolver == "nameserver 10.0.3.3\n")
        }
    }

    /// The rule that knows local addresses goes when its successor and those before it are there.
    @Test func buildUsersDoNotReachTheAgent() throws {
        try Self.devices(["class/net/e0/address": GuestNetwork.controlAddress]) { devices throws in
            let rules = try GuestNetwork(devices).batch.split(separator: "\n").filter { $0.hasPrefix("rule") }
            #expect(rules.first == "rule add pref 100 lookup local" && rules.last == "rule delete pref 0")
            #expect(rules.contains { $0.contains("to 127.0.0.0/8 prohibit") })
            #expect(rules.contains { $0.contains("to 10.0.2.0/24 prohibit") })
        }
    }
}
