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
        guard der.count <= Self.maximumSize else {
            throw MalformedBytes(
                format: Self.format, offset: Self.maximumSize,
                reason: "\(der.count) bytes, at most \(Self.maximumSize)")
        }
        var root = DERScanner(der, format: Self.format)
        var list = try root.sequence("CertificateList")
        try root.finish("CertificateList")
        signedBytes = try list.element(DERScanner.sequence, "tbsCertList")
        let signedAlgorithm = try list.element(DERScanner.sequence, "signatureAlgorithm")
        let bits = der[try list.content(DERScanner.bitString, "signature")]
        guard bits.first == 0, bits.count > 1 else { throw list.malformed("signature", "not of whole bytes") }
        try list.finish("CertificateList")
        var body = DERScanner(signedBytes, format: Self.format)
        var fields = try body.sequence("tbsCertList")
        guard try fields.unsigned("version", maximum: 1) == 1 else { throw fields.malformed("version", "not 2") }
        guard try fields.element(DERScanner.sequence, "signature") == signedAlgorithm else {
            throw fields.malformed("signature", "the signed algorithm differs from the one beside the signature")
        }
        issuer = try Self.read(try fields.element(DERScanner.sequence, "issuer")) { try DistinguishedName($0) }
        validity = Validity(
            notBefore: try Self.read(try fields.element("thisUpdate")) { try DERReading.time($0) },
            notAfter: try Self.read(try fields.element("nextUpdate")) { try DERReading.time($0) })
        revoked =
            fields.nextTag == DERScanner.sequence ? try Self.revoked(try fields.sequence("revokedCertificates")) : []
        extensions = try Self.extensions(&fields)
        try fields.finish("tbsCertList")
        algorithm = SignatureAlgorithm(signedAlgorithm)
        signature = Array(bits.dropFirst())
    }

    private static let format = "X.509 CRL"

    /// The serial numbers. Dates and extensions of entries are mostly those of the entry before, and then not read again.
    private static func revoked(_ list: DERScanner) throws(MalformedBytes) -> Set<[UInt8]> {
        var (list, serials) = (list, Set<[UInt8]>())
        var (date, extensions): ([UInt8], [UInt8]) = ([], [])
        while !list.isAtEnd {
            var entry = try list.sequence("revokedCertificates")
            serials.insert(try entry.integer("userCertificate"))
            let entryDate = try entry.element("revocationDate")
            if entryDate != date { _ = try read(entryDate) { try DERReading.time($0) } }
            date = entryDate
            guard !entry.isAtEnd else { continue }
            let entryExtensions = try entry.element(DERScanner.sequence, "crlEntryExtensions")
            if entryExtensions != extensions {
                try read(entryExtensions) { try refuseCritical(CertificateExtensions($0)) }
            }
            extensions = entryExtensions
            try entry.finish("revokedCertificates")
        }
        return serials
    }

    private static func extensions(_ fields: inout DERScanner) throws(MalformedBytes) -> CertificateExtensions {
        guard !fields.isAtEnd else { return CertificateExtensions() }
        var tagged = try fields.scanner(DERScanner.explicit0, "crlExtensions")
        let element = try tagged.element(DERScanner.sequence, "crlExtensions")
        try tagged.finish("crlExtensions")
        return try read(element) {
            let extensions = try CertificateExtensions($0)
            try refuseCritical(extensions)
            return extensions
        }
    }

    private static func read<Value>(
        _ der: [UInt8], _ body: (ASN1Node) throws -> Value
    ) throws(MalformedBytes) -> Value {
        try DERReading.read(format, der, maximumSize: maximumSize, body)
    }

    /// A critical extension changes what a list says (of which certificates, since when): none is known here.
    private static func refuseCritical(_ extensions: CertificateExtensions) throws {
        if let id = extensions.critical(otherThan: []).first {
            throw DERReading.Refused("the critical extension \(id) is not known")
        }
    }
}
