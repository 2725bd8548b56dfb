// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import Crypto
package import Evidence
internal import SwiftASN1

/// What AMD says of the key that signs reports: a VCEK or VLEK certificate with AMD's extensions, decoded and not yet
/// believed (AMD 57230, VCEK Certificate and KDS Interface, section 3).
///
/// | extension | type | meaning |
/// |---|---|---|
/// | 1.3.6.1.4.1.3704.1.1 | INTEGER | version of the structure: 0, or 1 from Turin on |
/// | .1.2 | IA5String | product, and its stepping: "Milan-B0", "Genoa" |
/// | .1.3.1, .2, .3, .8 | INTEGER | boot loader, TEE, SNP and microcode security versions |
/// | .1.3.9 | INTEGER | FMC security version, from Turin on |
/// | .1.3.4 to .7 | INTEGER | reserved, zero |
/// | .1.4 | bytes without DER | VCEK: the chip's id, 64 bytes, or 8 from Turin on |
/// | .1.5 | IA5String or UTF8String | VLEK: the cloud provider |
package struct SNPEndorsement: Sendable {
    package let certificate: Certificate
    /// On P-384.
    package let publicKey: P384.Signing.PublicKey
    package let kind: SNPSigningFlags.SigningKey
    package let structureVersion: UInt8
    package let productName: String
    package let product: SNPProduct
    package let tcb: SNPTCBParts
    /// `nil` in a VLEK, which is of no chip.
    package let chipID: [UInt8]?
    /// `nil` in a VCEK.
    package let provider: String?

    /// Throws where the certificate is of neither kind or not for signing, its key is not on P-384, an extension is
    /// missing or malformed, or one is critical that is not known.
    package init(_ certificate: Certificate) throws(MalformedBytes) {
        self.certificate = certificate
        let extensions = AMDExtensions(certificate.extensions)
        kind = try Self.kind(certificate, extensions)
        guard let key = try? P384.Signing.PublicKey(derRepresentation: certificate.publicKeyInfo) else {
            throw extensions.malformed("subjectPublicKeyInfo", "not a key on P-384")
        }
        publicKey = key
        structureVersion = try extensions.number("1")
        guard structureVersion <= 1 else { throw extensions.malformed("structVersion", "\(structureVersion)") }
        productName = try extensions.text("2")
        guard let product = Self.product(productName) else {
            throw extensions.malformed("productName", "'\(productName)' is not known")
        }
        self.product = product
        tcb = try extensions.tcb(of: product)
        chipID = extensions.bytes("4")
        guard (chipID?.count ?? 0) == (kind == .vcek ? product.chipIDSize : 0) else {
            throw extensions.malformed("hwID", "\(chipID?.count ?? 0) bytes")
        }
        provider = extensions.bytes("5") == nil ? nil : try extensions.text("5")
    }

    /// The line of "Milan-B0", "Genoa", and of what is sold under other names and signed by Genoa's authority.
    private static func product(_ name: String) -> SNPProduct? {
        let line = String(name.prefix { $0 != "-" })
        return ["Bergamo", "Siena"].contains(line) ? .genoa : SNPProduct(rawValue: line)
    }

    private static func kind(
        _ certificate: Certificate, _ extensions: AMDExtensions
    ) throws(MalformedBytes) -> SNPSigningFlags.SigningKey {
        let known: Set = [CertificateExtensions.keyUsage, CertificateExtensions.basicConstraints]
        if let id = certificate.extensions.critical(otherThan: known).first {
            throw extensions.malformed(id, "critical, and not known")
        }
        guard certificate.extensions.maySign else { throw extensions.malformed("keyUsage", "not for signing") }
        guard
            certificate.extensions[CertificateExtensions.basicConstraints] == nil
                || certificate.extensions.isAuthority == false
        else { throw extensions.malformed("basicConstraints", "an authority's") }
        switch certificate.subject.commonName {
        case "SEV-VCEK": return .vcek
        case "SEV-VLEK": return .vlek
        case let name: throw extensions.malformed("subject", "'\(name ?? "no name")', expected SEV-VCEK or SEV-VLEK")
        }
    }
}

/// Reads AMD's extensions.
private struct AMDExtensions {
    private let extensions: CertificateExtensions

    init(_ extensions: CertificateExtensions) { self.extensions = extensions }

    func bytes(_ id: String) -> [UInt8]? { extensions["1.3.6.1.4.1.3704.1.\(id)"] }

    func number(_ id: String) throws(MalformedBytes) -> UInt8 {
        guard let value = try read(id, { try UInt8(derEncoded: $0) }) else { throw malformed(id, "missing") }
        return value
    }

    func tcb(of product: SNPProduct) throws(MalformedBytes) -> SNPTCBParts {
        for id in ["3.4", "3.5", "3.6", "3.7"] where bytes(id) != nil {
            let value = try number(id)
            guard value == 0 else { throw malformed(id, "\(value), of a part that is not known") }
        }
        return SNPTCBParts(
            fmc: product == .turin ? try number("3.9") : nil, bootloader: try number("3.1"), tee: try number("3.2"),
            snp: try number("3.3"), microcode: try number("3.8"))
    }

    func text(_ id: String) throws(MalformedBytes) -> String {
        let text = try read(id) { node in
            guard case .primitive(let content) = node.content,
                node.identifier == .ia5String || node.identifier == .utf8String
            else { throw DERReading.Refused("a string expected") }
            return String(validating: content, as: UTF8.self)
        }
        guard let text, let text else { throw malformed(id, "missing, or not text") }
        return text
    }

    func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "SNP endorsement certificate", field: field, offset: 0, reason: reason)
    }

    private func read<Value>(_ id: String, _ body: (ASN1Node) throws -> Value) throws(MalformedBytes) -> Value? {
        guard let bytes = bytes(id) else { return nil }
        return try DERReading.read("SNP endorsement extension \(id)", bytes, maximumSize: 256, body)
    }
}
