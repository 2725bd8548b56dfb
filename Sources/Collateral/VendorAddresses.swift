// SPDX-License-Identifier: Apache-2.0

/// Where the vendors' services answer: their own hosts, or mirrors that were named.
public struct VendorAddresses: Hashable, Sendable {
    /// AMD's key distribution service (AMD 57230).
    public let amd: String
    /// Intel's provisioning certification service (Intel SGX and TDX PCS API version 4).
    public let intel: String
    /// The revocation list of Intel's root, which Intel serves from a host of its own. Mirrors that follow Intel's PCCS
    /// have it among the others.
    public let intelRootList: String

    /// The vendors' own.
    public static let vendors = VendorAddresses(
        amd: "https://kdsintf.amd.com", intel: "https://api.trustedservices.intel.com",
        intelRootList: "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der")

    private init(amd: String, intel: String, intelRootList: String) {
        self.amd = amd
        self.intel = intel
        self.intelRootList = intelRootList
    }

    /// The vendors' own, but for mirrors. A mirror may be `http`: nothing is believed for where it came from.
    ///
    /// Throws where a mirror is no `http` or `https` URL, or carries a user name, a query or a fragment.
    public init(amdMirror: String?, intelMirror: String?) throws(CollateralError) {
        let intel = try intelMirror.map(Self.checked)
        self.init(
            amd: try amdMirror.map(Self.checked) ?? Self.vendors.amd,
            intel: intel ?? Self.vendors.intel,
            intelRootList: intel.map { $0 + "/sgx/certification/v4/rootcacrl" } ?? Self.vendors.intelRootList)
    }

    private static func checked(_ text: String) throws(CollateralError) -> String {
        let base = String(text.reversed().drop { $0 == "/" }.reversed())
        guard let scheme = ["https://", "http://"].first(where: { base.lowercased().hasPrefix($0) }) else {
            throw CollateralError(
                .invalidAddress, "'\(text)' is no address of a mirror: expected https://host or http://host:port")
        }
        let rest = base.dropFirst(scheme.count)
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        guard isPlain, !rest.prefix(while: { $0 != "/" }).isEmpty, !rest.contains(where: { "@?#\"<>".contains($0) })
        else {
            throw CollateralError(
                .invalidAddress,
                "'\(text)' is no address of a mirror: a host is needed, and no user name, query or fragment")
        }
        return scheme + rest
    }
}
