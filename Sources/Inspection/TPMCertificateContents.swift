// SPDX-License-Identifier: Apache-2.0
internal import SwiftASN1

/// What certificates of TPMs' keys say of them (TCG EK Credential Profile; TCG, TPM 2.0 Keys for Device Identity and
/// Attestation, section 8).
private let tcgNames = [
    "2.23.133.8.1": "tcg-kp-EKCertificate: an endorsement key",
    "2.23.133.8.3": "tcg-kp-AIKCertificate: an attestation key",
    "2.23.133.11.1.1": "tcg-cap-verifiedTPMResidency: the CA saw that the key is in a TPM",
    "2.23.133.11.1.2": "tcg-cap-verifiedTPMFixed: the CA saw that the key cannot leave its TPM",
    "2.23.133.11.1.3": "tcg-cap-verifiedTPMRestricted: the CA saw that the key signs nothing but what its TPM made",
    "2.23.133.12.1": "tcg-on-ekPermIdSha256: the SHA-256 of the TPM's endorsement certificate",
]

/// RFC 5280, section 4.2.1.12.
enum ExtendedKeyUsage {
    static func fields(_ value: [UInt8]) -> [InspectedField]? {
        guard let node = try? DER.parse(value) else { return nil }
        return try? DER.sequence(node, identifier: .sequence) { nodes in
            var fields: [InspectedField] = []
            while let node = nodes.next() {
                let id = try ASN1ObjectIdentifier(derEncoded: node).description
                fields.append(.text("KeyPurposeId", id, tcgNames[id]))
            }
            return [.list("extKeyUsage", fields)]
        }
    }
}

/// RFC 5280, section 4.2.1.4; qualifiers are not shown.
enum CertificatePolicies {
    static func fields(_ value: [UInt8]) -> [InspectedField]? {
        guard let node = try? DER.parse(value) else { return nil }
        return try? DER.sequence(node, identifier: .sequence) { nodes in
            var fields: [InspectedField] = []
            while let node = nodes.next() {
                let id = try DER.sequence(node, identifier: .sequence) { parts in
                    let id = try ASN1ObjectIdentifier(derEncoded: &parts).description
                    while parts.next() != nil {}
                    return id
                }
                fields.append(.text("policyIdentifier", id, tcgNames[id]))
            }
            return [.list("certificatePolicies", fields)]
        }
    }
}

/// RFC 5280, section 4.2.1.6: names of the form permanentIdentifier (RFC 4043) by their parts, others as they are.
enum AlternativeNames {
    private static let otherName = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)

    static func fields(_ value: [UInt8]) -> [InspectedField]? {
        guard let node = try? DER.parse(value) else { return nil }
        return try? DER.sequence(node, identifier: .sequence) { nodes in
            var fields: [InspectedField] = []
            while let node = nodes.next() {
                fields.append(try permanentIdentifier(node) ?? .bytes("GeneralName", Array(node.encodedBytes)))
            }
            return [.list("subjectAltName", fields)]
        }
    }

    private static func permanentIdentifier(_ node: ASN1Node) throws -> InspectedField? {
        guard node.identifier == otherName else { return nil }
        return try DER.sequence(node, identifier: otherName) { nodes in
            let form = try ASN1ObjectIdentifier(derEncoded: &nodes).description
            let value = nodes.next()
            guard form == "1.3.6.1.5.5.7.8.3", let value else { return nil }
            return try DER.sequence(value, identifier: otherName) { inner in
                try inner.next().map { InspectedField("permanentIdentifier", parts: try parts($0)) }
            }
        }
    }

    private static func parts(_ node: ASN1Node) throws -> [InspectedField] {
        try DER.sequence(node, identifier: .sequence) { nodes in
            var parts: [InspectedField] = []
            while let part = nodes.next() {
                if part.identifier == .utf8String {
                    parts.append(.text("identifierValue", String(try ASN1UTF8String(derEncoded: part))))
                } else {
                    let id = try ASN1ObjectIdentifier(derEncoded: part).description
                    parts.append(.text("assigner", id, tcgNames[id]))
                }
            }
            return parts
        }
    }
}
