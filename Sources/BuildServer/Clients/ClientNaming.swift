// SPDX-License-Identifier: Apache-2.0
package import HTTPTypes
package import SourceTrees

/// Which client a request is from: the peer of the connection, or whom a trusted proxy names in a header.
///
/// A header that anybody else sends is not looked at. Of a list of addresses (`X-Forwarded-For`), each proxy adds its own
/// peer at the end: the last one that is no trusted proxy is the client, and what stands before it is the client's own
/// word.
package struct ClientNaming: Sendable {
    /// `nil` where no header is believed.
    private let header: HTTPField.Name?
    private let proxies: [AddressPrefix]

    /// Throws where the header is no name of one, or a proxy is neither an address nor a block of addresses.
    package init(_ settings: ClientSettings) throws(ConfigurationError) {
        header = try Self.header(settings.addressHeader)
        var proxies: [AddressPrefix] = []
        for text in settings.trustedProxies.split(separator: " ") where settings.trustedProxies != "none" {
            guard let prefix = AddressPrefix(text) else {
                throw ConfigurationError(
                    "client.trusted_proxies has '\(text)', which is no address and no block such as 10.0.0.0/8")
            }
            proxies.append(prefix)
        }
        self.proxies = proxies
    }

    private static func header(_ text: String) throws(ConfigurationError) -> HTTPField.Name? {
        if text == "none" { return nil }
        // "Forwarded" (RFC 7239) has a form of its own, and would be misread as a list of addresses.
        guard let name = HTTPField.Name(text), name.canonicalName != "forwarded" else {
            throw ConfigurationError(
                "client.address_header is '\(text)', expected a header that holds addresses, such as X-Forwarded-For")
        }
        return name
    }

    /// `nil` for this machine itself, which no limit holds for.
    package func client(peer: IPAddress?, headers: HTTPFields) -> Client? {
        guard let peer else { return nil }
        guard let header, isTrusted(peer) else { return Self.counted(peer) }
        var last = peer
        for value in headers[values: header].reversed() {
            for text in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard let address = Self.address(text) else { return .unnamed }
                last = address
                guard isTrusted(address) else { return Self.counted(address) }
            }
        }
        return Self.counted(last)
    }

    private func isTrusted(_ address: IPAddress) -> Bool { proxies.contains { $0.contains(address) } }

    private static func counted(_ address: IPAddress) -> Client? { address.isLoopback ? nil : Client(address) }

    /// Some proxies add the port, and brackets to an IPv6 address.
    private static func address(_ text: Substring) -> IPAddress? {
        var text = text.trimmingSpaces
        if text.first == "[", let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.count(where: { $0 == ":" }) == 1, let end = text.firstIndex(of: ":") {
            text = text[..<end]
        }
        return IPAddress(String(text))
    }
}
