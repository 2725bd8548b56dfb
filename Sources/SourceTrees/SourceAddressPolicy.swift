// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import Archives
internal import Foundation

/// From which network addresses sources and dependencies may be fetched.
///
/// A build's requester chooses host names; without this, a name that resolves to this machine or its network would let
/// them reach services that trust their neighbours.
public struct SourceAddressPolicy: Hashable, Sendable {
    /// Whether loopback, link-local, private and other special-purpose addresses are allowed.
    public let allowsPrivateSources: Bool

    public init(allowPrivateSources: Bool) {
        allowsPrivateSources = allowPrivateSources
    }

    /// Resolves `host` and returns its addresses, all of which are allowed, for a fetch that must use these and no
    /// others. Empty where every address is allowed: then nothing is resolved and nothing need be pinned.
    ///
    /// Throws `SourceError` where the host does not resolve, or any of its addresses is not public.
    public func addresses(host: String, port: Int) async throws(BuildFailure) -> [IPAddress] {
        if allowsPrivateSources { return [] }
        try Self.checkSpelling(host)
        let addresses = try await onAbandonableThread { () throws(BuildFailure) in try Self.resolve(host) }
        for address in addresses {
            if let purpose = address.specialPurpose { throw Self.refused(host, address, purpose) }
        }
        return addresses
    }

    /// The value of curl's `CURLOPT_RESOLVE` (git's `http.curloptResolve`) that binds a name to checked addresses, so
    /// that a second look-up cannot give others. `nil` where there is nothing to bind.
    public static func curlResolve(host: String, port: Int, addresses: [IPAddress]) -> String? {
        guard !addresses.isEmpty, IPAddress(host) == nil else { return nil }
        let list = addresses.map { $0.bytes.count == 16 ? "[\($0)]" : $0.description }
        return "\(host):\(port):\(list.joined(separator: ","))"
    }

    /// Numeric hosts in forms that two programs read differently (`127.1`, `0177.0.0.1`, `2130706433`), and names with
    /// a final dot, which are bound under another name than they are looked up.
    private static func checkSpelling(_ host: String) throws(BuildFailure) {
        if IPAddress(host) != nil { return }
        let last = host.split(separator: ".", omittingEmptySubsequences: false).last ?? ""
        let isNumeric = last.allSatisfy { $0.isASCII && $0.isNumber } || last.lowercased().hasPrefix("0x")
        guard !isNumeric else {
            throw BuildFailure(
                .source, "the host '\(printable(host))' is neither a name nor an IP address in its usual form")
        }
    }

    private static func resolve(_ host: String) throws(BuildFailure) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard result == 0 else {
            throw BuildFailure(
                .source, "the host '\(printable(host))' could not be found: \(String(cString: gai_strerror(result)))")
        }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = address(of: entry), !addresses.contains(address) { addresses.append(address) }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else {
            throw BuildFailure(.source, "the host '\(printable(host))' has no address")
        }
        return addresses
    }

    private static func address(of entry: addrinfo) -> IPAddress? {
        guard let socket = entry.ai_addr else { return nil }
        let bytes = UnsafeRawBufferPointer(start: socket, count: Int(entry.ai_addrlen))
        switch entry.ai_family {
        case AF_INET where bytes.count >= 8: return IPAddress(bytes: Array(bytes[4..<8]))
        case AF_INET6 where bytes.count >= 24: return IPAddress(bytes: Array(bytes[8..<24]))
        default: return nil
        }
    }

    private static func refused(_ host: String, _ address: IPAddress, _ purpose: String) -> BuildFailure {
        BuildFailure(
            .source,
            "the host '\(printable(host))' is at \(address), \(purpose), from which nothing is fetched;"
                + " the operator can allow it with --allow-private-sources")
    }
}
