// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
internal import SwiftASN1

/// An X.509 certificate (RFC 5280), decoded and not yet believed. What is signed is kept as it came.
package struct Certificate: Hashable, Sendable {
    /// A larger one is refused, in bytes.
    package static let maximumSize = 65_536

    package let der: [UInt8]
    /// `tbsCertificate`.
    package let signedBytes: [UInt8]
    package let algorithm: SignatureAlgorithm
    package let signature: [UInt8]
    /// The content octets of the INTEGER, as they came: AMD's are zero.
    package let serial: [UInt8]
    package let issuer: DistinguishedName
    package let subject: DistinguishedName
    package let validity: Validity
    /// `subjectPublicKeyInfo`, DER.
    package let publicKeyInfo: [UInt8]
    package let extensions: CertificateExtensions

    /// Throws where this is no certificate of version 3, its two algorithms differ, or something is left over.
    package init(der: [UInt8]) throws(MalformedBytes) {
        self = try DERReading.read("X.509 certificate", der, maximumSize: Self.maximumSize) { root in
            try DER.sequence(root, identifier: .sequence) { nodes in
                guard let body = nodes.next(), let algorithm = nodes.next() else { throw DERReading.Missing() }
                let signature = try DERReading.wholeBits(&nodes)
                return try Certificate(der: der, body: body, algorithm: algorithm, signature: signature)
            }
        }
    }

    /// Reads DER, or one certificate as PEM.
    package init(_ bytes: [UInt8]) throws(MalformedBytes) {
        let certificates = try PEM.orDER(bytes, label: "CERTIFICATE")
        guard let first = certificates.first, certificates.count == 1 else {
            throw MalformedBytes(
                format: "X.509 certificate", offset: 0, reason: "\(certificates.count) certificates, expected one")
        }
        try self.init(der: first)
    }

    private init(der: [UInt8], body: ASN1Node, algorithm: ASN1Node, signature: [UInt8]) throws {
        let fields = try Fields(body)
        guard fields.algorithm == Array(algorithm.encodedBytes) else {
            throw DERReading.Refused("the signed algorithm differs from the one beside the signature")
        }
        self.der = der
        signedBytes = Array(body.encodedBytes)
        self.algorithm = SignatureAlgorithm(fields.algorithm)
        self.signature = signature
        serial = fields.serial
        issuer = fields.issuer
        subject = fields.subject
        validity = fields.validity
        publicKeyInfo = fields.publicKeyInfo
        extensions = fields.extensions
    }
}

extension Certificate {
    /// TBSCertificate (RFC 5280, section 4.1.2).
    private struct Fields {
        let serial: [UInt8]
        let algorithm: [UInt8]
        let issuer: DistinguishedName
        let validity: Validity
        let subject: DistinguishedName
        let publicKeyInfo: [UInt8]
        let extensions: CertificateExtensions

        init(_ body: ASN1Node) throws {
            self = try DER.sequence(body, identifier: .sequence) { nodes in
                let version = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                    try Int(derEncoded: $0)
                }
                guard version == 2 else { throw DERReading.Refused("not version 3") }
                return try Fields(&nodes)
            }
        }

        private init(_ nodes: inout ASN1NodeCollection.Iterator) throws {
            serial = try DERReading.integerOctets(&nodes)
            algorithm = Array(try DERReading.next(&nodes).encodedBytes)
            issuer = try DistinguishedName(DERReading.next(&nodes))
            validity = try Validity(DERReading.next(&nodes))
            subject = try DistinguishedName(DERReading.next(&nodes))
            let key = try DERReading.next(&nodes)
            guard key.identifier == .sequence else { throw DERReading.Refused("no subjectPublicKeyInfo") }
            publicKeyInfo = Array(key.encodedBytes)
            extensions =
                try DER.optionalExplicitlyTagged(&nodes, tagNumber: 3, tagClass: .contextSpecific) {
                    try CertificateExtensions($0)
                } ?? CertificateExtensions()
        }
    }
}

/// A certificate's name: compared as bytes, shown by its common name.
package struct DistinguishedName: Hashable, Sendable {
    package let der: [UInt8]
    /// `nil` where there is none, or more than one.
    package let commonName: String?

    init(_ node: ASN1Node) throws {
        der = Array(node.encodedBytes)
        var names: [String] = []
        try DER.sequence(node, identifier: .sequence) { sets in
            while let set = sets.next() { try Self.collect(set, into: &names) }
        }
        commonName = names.count == 1 ? names.first : nil
    }

    private static func collect(_ set: ASN1Node, into names: inout [String]) throws {
        try DER.set(set, identifier: .set) { attributes in
            while let attribute = attributes.next() {
                try DER.sequence(attribute, identifier: .sequence) { parts in
                    let type = try ASN1ObjectIdentifier(derEncoded: &parts)
                    let value = try DERReading.next(&parts)
                    guard type == [2, 5, 4, 3], case .primitive(let text) = value.content else { return }
                    names.append(String(decoding: text, as: UTF8.self))
                }
            }
        }
    }
}

/// From when to when a certificate or list is good, seconds since 1970, both ends included.
package struct Validity: Hashable, Sendable {
    package let notBefore: Int64
    package let notAfter: Int64

    package init(notBefore: Int64, notAfter: Int64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    init(_ node: ASN1Node) throws {
        (notBefore, notAfter) = try DER.sequence(node, identifier: .sequence) { nodes in
            (try DERReading.time(DERReading.next(&nodes)), try DERReading.time(DERReading.next(&nodes)))
        }
    }

    package func contains(_ time: Int64) -> Bool { notBefore <= time && time <= notAfter }
}
