// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
internal import SwiftASN1

/// A certificate revocation list (RFC 5280, section 5), decoded and not yet believed.
package struct RevocationList: Hashable, Sendable {
    /// A larger one is refused, in bytes: vendors' lists have a few thousand.
    package static let maximumSize = 1 << 20

    /// `tbsCertList`.
    package let signedBytes: [UInt8]
    package let algorithm: SignatureAlgorithm
    package let signature: [UInt8]
    package let issuer: DistinguishedName
    /// From this update to the next one.
    package let validity: Validity
    /// Serial numbers, as the content octets of their INTEGERs.
    package let revoked: Set<[UInt8]>
    package let extensions: CertificateExtensions

    /// Reads DER or PEM. Throws where there is no next update, the two algorithms differ, or something is left over.
    package init(_ bytes: [UInt8]) throws(MalformedBytes) {
        let lists = try PEM.orDER(bytes, label: "X509 CRL")
        guard let first = lists.first, lists.count == 1 else {
            throw MalformedBytes(format: "X.509 CRL", offset: 0, reason: "\(lists.count) lists, expected one")
        }
        try self.init(der: first)
    }

    package init(der: [UInt8]) throws(MalformedBytes) {
        self = try DERReading.read("X.509 CRL", der, maximumSize: Self.maximumSize) { root in
            try DER.sequence(root, identifier: .sequence) { nodes in
                let body = try DERReading.next(&nodes)
                let algorithm = try DERReading.next(&nodes)
                let signature = try DERReading.wholeBits(&nodes)
                return try DER.sequence(body, identifier: .sequence) { fields in
                    try RevocationList(
                        &fields, signedBytes: Array(body.encodedBytes), algorithm: Array(algorithm.encodedBytes),
                        signature: signature)
                }
            }
        }
    }

    private init(
        _ nodes: inout ASN1NodeCollection.Iterator, signedBytes: [UInt8], algorithm: [UInt8], signature: [UInt8]
    ) throws {
        guard try Int(derEncoded: &nodes) == 1 else { throw DERReading.Refused("not version 2") }
        guard Array(try DERReading.next(&nodes).encodedBytes) == algorithm else {
            throw DERReading.Refused("the signed algorithm differs from the one beside the signature")
        }
        issuer = try DistinguishedName(DERReading.next(&nodes))
        let thisUpdate = try DERReading.time(DERReading.next(&nodes))
        validity = Validity(notBefore: thisUpdate, notAfter: try DERReading.time(DERReading.next(&nodes)))
        var revoked: Set<[UInt8]> = []
        var judged: Set<[UInt8]> = []
        try DER.optionalList(&nodes) { entry in
            try DER.sequence(entry, identifier: .sequence) { fields in
                revoked.insert(try DERReading.integerOctets(&fields))
                _ = try DERReading.time(DERReading.next(&fields))
                // Most entries have the same ones, a reason.
                if let extensions = fields.next(), judged.insert(Array(extensions.encodedBytes)).inserted {
                    try Self.refuseCritical(CertificateExtensions(extensions))
                }
            }
        }
        self.revoked = revoked
        extensions =
            try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                try CertificateExtensions($0)
            } ?? CertificateExtensions()
        try Self.refuseCritical(extensions)
        self.signedBytes = signedBytes
        self.algorithm = SignatureAlgorithm(algorithm)
        self.signature = signature
    }

    /// A critical extension changes what a list says (of which certificates, since when): none is known here.
    private static func refuseCritical(_ extensions: CertificateExtensions) throws {
        if let id = extensions.critical(otherThan: []).first {
            throw DERReading.Refused("the critical extension \(id) is not known")
        }
    }
}

extension DER {
    /// An optional SEQUENCE OF at this place.
    fileprivate static func optionalList(
        _ nodes: inout ASN1NodeCollection.Iterator, _ body: (ASN1Node) throws -> Void
    ) throws {
        var ahead = nodes
        guard let node = ahead.next(), node.identifier == .sequence else { return }
        nodes = ahead
        try DER.sequence(node, identifier: .sequence) { entries in
            while let entry = entries.next() { try body(entry) }
        }
    }
}
