// SPDX-License-Identifier: Apache-2.0
package import SourceTrees

/// Whom the limits for each client count: an IPv4 address, or the /64 of an IPv6 one, which one customer of a network has
/// as a whole.
package struct Client: Hashable, Sendable {
    private enum Kind: Hashable, Sendable { case version4, version6, unnamed }
    private let kind: Kind
    private let network: UInt64

    /// All those together whom a proxy names in a way that is no address.
    package static let unnamed = Client(kind: .unnamed, network: 0)

    package init(_ address: IPAddress) {
        let bytes = address.unmapped.bytes
        kind = bytes.count == 4 ? .version4 : .version6
        network = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private init(kind: Kind, network: UInt64) {
        self.kind = kind
        self.network = network
    }
}

extension IPAddress {
    /// An IPv4 address that was written as one of IPv6 (RFC 4291, section 2.5.5.2), as itself; all others as they are.
    var unmapped: IPAddress {
        guard bytes.count == 16, bytes.prefix(12).elementsEqual([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]) else {
            return self
        }
        return IPAddress(bytes: Array(bytes.suffix(4))) ?? self
    }

    var isLoopback: Bool {
        let bytes = unmapped.bytes
        return bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}
