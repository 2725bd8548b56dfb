// SPDX-License-Identifier: Apache-2.0
import Builds
import SourceTrees
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "168.63.129.16", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b:1::808:808", "2002:7f00:1::", "2002:c0a8:1::1", "2001::1", "2001:db8::1", "3fff::1", "fe80::1",
        "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1", "4000::1",
    ])
    func specialPurposeAddressIsKnown(text: String) throws {
        #expect(try #require(IPAddress(text)).specialPurpose != nil)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.17.255.255",
        "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ])
    func publicAddressIsPublic(text: String) throws {
        #expect(try #require(IPAddress(text)).specialPurpose == nil)
    }

    @Test(arguments: ["127.1", "0177.0.0.1", "2130706433", "0x7f000001", "1.2.3", "1.2.3.4.", "example.com", "", "::g"])
    func whatIsNoUsualFormIsNoAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", "loopback"), ("::1", "loopback"), ("localhost", "loopback"), ("169.254.169.254", "link-local"),
        ("10.1.2.3", "private"), ("::ffff:10.1.2.3", "private"), ("127.1", "usual form"),
        ("2130706433", "usual form"), ("0x7f000001", "usual form"), ("0177.0.0.1", "usual form"),
        ("example.com.", "usual form"), ("no-such-host.invalid", "could not be found"),
    ])
    func hostIsRefused(host: String, reason: String) async throws {
        let policy = SourceAddressPolicy(allowPrivateSources: false)
        let failure = await #expect(throws: BuildFailure.self) { try await policy.addresses(host: host, port: 443) }
        #expect(failure?.kind == .source)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains(host) == true)
        let open = SourceAddressPolicy(allowPrivateSources: true)
        #expect(try await open.addresses(host: host, port: 443).isEmpty)
    }

    @Test func publicAddressIsAllowed() async throws {
        let policy = SourceAddressPolicy(allowPrivateSources: false)
        #expect(try await policy.addresses(host: "8.8.8.8", port: 443).map(\.description) == ["8.8.8.8"])
    }

    @Test func nameIsBoundToItsCheckedAddresses() throws {
        let addresses = try ["8.8.8.8", "2606:4700::1111"].map { try #require(IPAddress($0)) }
        #expect(
            SourceAddressPolicy.curlResolve(host: "example.com", port: 443, addresses: addresses)
                == "example.com:443:8.8.8.8,[2606:4700::1111]")
        #expect(SourceAddressPolicy.curlResolve(host: "8.8.8.8", port: 443, addresses: addresses) == nil)
        #expect(SourceAddressPolicy.curlResolve(host: "example.com", port: 443, addresses: []) == nil)
    }
}
