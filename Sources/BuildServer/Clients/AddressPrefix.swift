// SPDX-License-Identifier: Apache-2.0
package import SourceTrees

/// An address, or a block of addresses with the same first bits: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
package struct AddressPrefix: Hashable, Sendable {
    private let bytes: [UInt8]
    private let bits: Int

    /// `nil` where `text` is none, or sets bits beyond the prefix: then another block may be meant.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        let all = address.bytes.count * 8
        switch parts.count {
        case 1: bits = all
        case 2:
            guard let length = ByteSize.digits(parts[1]), length <= all else { return nil }
            bits = Int(length)
        default: return nil
        }
        bytes = address.bytes
        let beyond = (bits..<all).contains { bytes[$0 / 8] & 0x80 >> UInt8($0 % 8) != 0 }
        if beyond { return nil }
    }

    package func contains(_ address: IPAddress) -> Bool {
        let other = address.unmapped.bytes
        guard other.count == bytes.count else { return false }
        return (0..<bits).allSatisfy { (bytes[$0 / 8] ^ other[$0 / 8]) & 0x80 >> UInt8($0 % 8) == 0 }
    }
}
