// SPDX-License-Identifier: Apache-2.0
import BuildServer
import HTTPTypes
import SourceTrees
import Testing

@Suite struct ClientNamingTests {
    private func naming(
        header: String = "X-Forwarded-For", proxies: String = ClientSettings().trustedProxies
    ) throws -> ClientNaming {
        var settings = ClientSettings()
        (settings.addressHeader, settings.trustedProxies) = (header, proxies)
        return try ClientNaming(settings)
    }

    private func fields(_ values: [String]) throws -> HTTPFields {
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        var fields = HTTPFields()
        for value in values { fields.append(HTTPField(name: name, value: value)) }
        return fields
    }

    private func client(_ text: String) throws -> Client { Client(try #require(IPAddress(text))) }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let peer: String
        var values: [String] = []
        var header = "X-Forwarded-For"
        var proxies = "127.0.0.0/8 ::1 10.0.0.0/8"
        /// `nil` for this machine, `?` for what is no address.
        let client: String?

        init(
            _ name: String, peer: String, _ values: String..., header: String = "X-Forwarded-For",
            proxies: String = "127.0.0.0/8 ::1 10.0.0.0/8", is client: String?
        ) {
            (testDescription, self.peer, self.values, self.client) = (name, peer, values, client)
            (self.header, self.proxies) = (header, proxies)
        }
    }

    @Test(arguments: [
        Row("this machine", peer: "127.0.0.1", is: nil), Row("this machine by IPv6", peer: "::1", is: nil),
        Row("this machine, mapped", peer: "::ffff:127.0.0.1", is: nil),
        Row("a neighbour", peer: "192.0.2.7", is: "192.0.2.7"),
        Row("a neighbour, mapped", peer: "::ffff:192.0.2.7", is: "192.0.2.7"),
        Row("a header that nobody asked for", peer: "192.0.2.7", "203.0.113.9", header: "none", is: "192.0.2.7"),
        Row(
            "a header of this machine that nobody asked for", peer: "127.0.0.1", "203.0.113.9", header: "none", is: nil),
        Row("a header of a stranger", peer: "192.0.2.7", "203.0.113.9", is: "192.0.2.7"),
        Row("a stranger as this machine", peer: "192.0.2.7", "127.0.0.1", is: "192.0.2.7"),
        Row("whom the proxy names", peer: "127.0.0.1", "203.0.113.9", is: "203.0.113.9"),
        Row("what the client says of itself", peer: "127.0.0.1", "8.8.8.8, 127.0.0.1, 203.0.113.9", is: "203.0.113.9"),
        Row("in fields of its own", peer: "127.0.0.1", "8.8.8.8", "203.0.113.9", is: "203.0.113.9"),
        Row("by way of two proxies", peer: "127.0.0.1", "8.8.8.8, 203.0.113.9, 10.1.2.3", is: "203.0.113.9"),
        Row("a proxy's own request", peer: "127.0.0.1", "10.1.2.3", is: "10.1.2.3"),
        Row("this machine by way of its proxy", peer: "127.0.0.1", "127.0.0.1", is: nil),
        Row("a proxy that names nobody", peer: "10.1.2.3", is: "10.1.2.3"),
        Row("no proxy is trusted", peer: "127.0.0.1", "203.0.113.9", proxies: "none", is: nil),
        Row("garbage of the proxy", peer: "127.0.0.1", "unknown", is: "?"),
        Row("garbage before a proxy", peer: "127.0.0.1", "x, 10.1.2.3", is: "?"),
        Row("nothing after the comma", peer: "127.0.0.1", "203.0.113.9,", is: "?"),
        Row("with a port", peer: "127.0.0.1", "203.0.113.9:4711", is: "203.0.113.9"),
        Row("IPv6 in brackets", peer: "127.0.0.1", "[2001:db8::1]:443", is: "2001:db8::1"),
        Row("octal", peer: "127.0.0.1", "0177.0.0.1", is: "?"),
    ]) func theClientIsThePeerOrWhomATrustedProxyNames(row: Row) throws {
        let naming = try naming(header: row.header, proxies: row.proxies)
        let found = naming.client(peer: IPAddress(row.peer), headers: try fields(row.values))
        let expected = try row.client.map { $0 == "?" ? Client.unnamed : try client($0) }
        #expect(found == expected)
    }

    @Test func addressesOfOneSubnetAreOneClientAndOthersAreNot() throws {
        #expect(try client("2001:db8:1:2::1") == client("2001:db8:1:2:ffff::9"))
        #expect(try client("2001:db8:1:2::1") != client("2001:db8:1:3::1"))
        #expect(try client("192.0.2.1") != client("192.0.2.2"))
        #expect(try client("192.0.2.1") == client("::ffff:192.0.2.1"))
        // Not the number that the address of the other version would have.
        #expect(try client("0.0.0.1") != client("0:0:0:1::"))
    }

    @Test(arguments: ["", "Forwarded", "forwarded", "X Forwarded For", "X-Forwarded-For:"])
    func aHeaderThatCannotHoldAddressesIsRefused(text: String) {
        #expect(throws: ConfigurationError.self) { try naming(header: text) }
    }

    @Test(arguments: [
        "10.0.0.0/33", "10.0.0.1/8", "::/129", "localhost", "10.0.0.0/", "10/8", "10.0.0.0/8/8", "none ::1",
    ])
    func aProxyThatIsNoAddressIsRefusedAtTheStart(text: String) throws {
        #expect(throws: ConfigurationError.self) { try naming(proxies: text) }
        #expect(throws: ConfigurationError.self) {
            try Configuration.load(environment: ["CUPEL_CLIENT_TRUSTED_PROXIES": text])
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false), ("127.0.0.0/8", "::ffff:127.0.0.1", true),
    ]) func aBlockHoldsTheAddressesThatBeginLikeIt(block: String, address: String, holds: Bool) throws {
        let prefix = try #require(AddressPrefix(block))
        #expect(prefix.contains(try #require(IPAddress(address))) == holds)
    }
}
