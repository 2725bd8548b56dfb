// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// An IPv4 (4 bytes) or IPv6 (16 bytes) address.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Network byte order.
    public let bytes: [UInt8]

    /// `nil` unless there are 4 or 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads the usual text forms (inet_pton(3)); `nil` for anything else, also for short and octal forms.
    public init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What kind of address this is, where it is not one of the public internet: "a loopback address". `nil` for a
    /// public one. After the special-purpose registries of IANA (RFC 6890); forms of IPv6 that carry an IPv4 address
    /// are judged by that address.
    public var specialPurpose: String? {
        bytes.count == 4 ? Self.purpose(ofIPv4: bytes) : Self.purpose(ofIPv6: bytes)
    }

    private static func purpose(ofIPv4 bytes: [UInt8]) -> String? {
        // The metadata service of one large cloud, in the middle of the public space.
        if bytes == [168, 63, 129, 16] { return "a cloud metadata address" }
        return ipv4Blocks.first { $0.contains(bytes) }?.purpose
    }

    private static func purpose(ofIPv6 bytes: [UInt8]) -> String? {
        if let block = ipv6Blocks.first(where: { $0.contains(bytes) }) { return block.purpose }
        for carrier in carriers where carrier.block.contains(bytes) {
            let address = Array(bytes[carrier.offset..<carrier.offset + 4])
            return purpose(ofIPv4: address).map { "\(carrier.block.purpose) for \($0)" }
        }
        let isGlobalUnicast = bytes[0] & 0xE0 == 0x20
        return isGlobalUnicast ? nil : "an address outside of the global unicast space"
    }

    private struct Block {
        let prefix: [UInt8]
        let bits: Int
        let purpose: String

        init(_ prefix: [UInt8], _ bits: Int, _ purpose: String) {
            self.prefix = prefix
            self.bits = bits
            self.purpose = purpose
        }

        func contains(_ bytes: [UInt8]) -> Bool {
            for bit in 0..<bits {
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                let wanted = bit / 8 < prefix.count ? prefix[bit / 8] : 0
                if (bytes[bit / 8] ^ wanted) & mask != 0 { return false }
            }
            return true
        }
    }

    private static let ipv4Blocks = [
        Block([0], 8, "an unspecified address"), Block([10], 8, "a private address"),
        Block([100, 64], 10, "a carrier's private address"), Block([127], 8, "a loopback address"),
        Block([169, 254], 16, "a link-local address"), Block([172, 16], 12, "a private address"),
        Block([192, 0, 0], 24, "a protocol address"), Block([192, 0, 2], 24, "a documentation address"),
        Block([192, 88, 99], 24, "a relay address"), Block([192, 168], 16, "a private address"),
        Block([198, 18], 15, "a benchmark address"), Block([198, 51, 100], 24, "a documentation address"),
        Block([203, 0, 113], 24, "a documentation address"), Block([224], 4, "a multicast address"),
        Block([240], 4, "a reserved address"),
    ]

    private static let ipv6Blocks = [
        Block(Array(repeating: 0, count: 16), 128, "an unspecified address"),
        Block(Array(repeating: 0, count: 15) + [1], 128, "a loopback address"),
        Block([0xFE, 0x80], 10, "a link-local address"), Block([0xFE, 0xC0], 10, "a private address"),
        Block([0xFC], 7, "a private address"), Block([0xFF], 8, "a multicast address"),
        Block([0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01], 48, "a private translated address"),
        Block([0x20, 0x01, 0x00], 23, "a protocol address"),
        Block([0x20, 0x01, 0x0D, 0xB8], 32, "a documentation address"),
        Block([0x3F, 0xFF], 20, "a documentation address"),
    ]

    private static let carriers: [(block: Block, offset: Int)] = [
        (Block(Array(repeating: 0, count: 10) + [0xFF, 0xFF], 96, "an IPv4-mapped address"), 12),
        (Block(Array(repeating: 0, count: 12), 96, "an IPv4-compatible address"), 12),
        (Block([0x00, 0x64, 0xFF, 0x9B], 96, "a translated address"), 12),
        (Block([0x20, 0x02], 16, "a 6to4 address"), 2),
    ]
}
