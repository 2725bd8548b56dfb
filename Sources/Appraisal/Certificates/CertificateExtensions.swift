// SPDX-License-Identifier: Apache-2.0
internal import SwiftASN1

/// The extensions of a certificate or revocation list (RFC 5280, section 4.2).
package struct CertificateExtensions: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// Dotted numbers: "2.5.29.19".
        package let id: String
        package let isCritical: Bool
        /// What the OCTET STRING holds.
        package let value: [UInt8]
    }

    package let entries: [Entry]

    init() { entries = [] }

    /// Throws at an extension that stands twice.
    init(_ node: ASN1Node) throws {
        var entries: [Entry] = []
        try DER.sequence(node, identifier: .sequence) { nodes in
            while let node = nodes.next() { entries.append(try Self.entry(node)) }
        }
        guard Set(entries.map(\.id)).count == entries.count else {
            throw DERReading.Refused("an extension stands twice")
        }
        self.entries = entries
    }

    package subscript(id: String) -> [UInt8]? { entries.first { $0.id == id }?.value }

    /// Critical extensions other than these: whoever does not know them must refuse (RFC 5280, section 4.2).
    package func critical(otherThan known: Set<String>) -> [String] {
        entries.filter { $0.isCritical && !known.contains($0.id) }.map(\.id)
    }

    private static func entry(_ node: ASN1Node) throws -> Entry {
        try DER.sequence(node, identifier: .sequence) { nodes in
            let id = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let isCritical = try DER.decodeDefault(&nodes, defaultValue: false)
            let value = try ASN1OctetString(derEncoded: &nodes)
            return Entry(id: id.description, isCritical: isCritical, value: Array(value.bytes))
        }
    }
}

extension CertificateExtensions {
    static let basicConstraints = "2.5.29.19"
    static let keyUsage = "2.5.29.15"

    /// Basic constraints: whether the subject may issue certificates. `nil` where the extension is missing or malformed.
    package var isAuthority: Bool? {
        guard let bytes = self[Self.basicConstraints], let node = try? DER.parse(bytes) else { return nil }
        return try? DER.sequence(node, identifier: .sequence) { nodes in
            let isAuthority = try DER.decodeDefault(&nodes, defaultValue: false)
            if let length = nodes.next() { _ = try Int(derEncoded: length) }
            return isAuthority
        }
    }

    /// Basic constraints: how many authorities may stand between this one and a leaf. `nil` where there is no limit.
    package var pathLength: Int? {
        guard let bytes = self[Self.basicConstraints], let node = try? DER.parse(bytes) else { return nil }
        return try? DER.sequence(node, identifier: .sequence) { nodes in
            _ = try DER.decodeDefault(&nodes, defaultValue: false)
            return try nodes.next().map { try Int(derEncoded: $0) }
        }
    }

    /// Key usage, bit 0 (digital signature) as the highest bit of the first byte; `nil` where it is missing.
    private var usage: UInt8? {
        guard let bytes = self[Self.keyUsage], let node = try? DER.parse(bytes),
            let bits = try? ASN1BitString(derEncoded: node)
        else { return nil }
        return bits.bytes.first ?? 0
    }

    /// Whether key usage lets the key sign certificates; where the extension is missing, it is not limited.
    package var maySignCertificates: Bool { usage.map { $0 & 0x04 != 0 } ?? (self[Self.keyUsage] == nil) }
    /// Whether key usage lets the key sign revocation lists.
    package var maySignRevocationLists: Bool { usage.map { $0 & 0x02 != 0 } ?? (self[Self.keyUsage] == nil) }
    /// Whether key usage lets the key sign other things.
    package var maySign: Bool { usage.map { $0 & 0x80 != 0 } ?? (self[Self.keyUsage] == nil) }
}
