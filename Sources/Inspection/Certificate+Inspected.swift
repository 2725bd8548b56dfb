// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import Crypto

/// The names of RFC 5280, and within extensions those of their makers.
extension Certificate {
    var inspected: [InspectedField] {
        [
            .text("subject", subject.rfc4514), .text("issuer", issuer.rfc4514),
            .bytes("serialNumber", serial), .text("notBefore", Self.time(validity.notBefore)),
            .text("notAfter", Self.time(validity.notAfter)), .text("signatureAlgorithm", algorithm.name),
            InspectedField(
                "subjectPublicKeyInfo", .bytes(publicKeyInfo),
                parts: [
                    .text("algorithm", PublicKeyName.of(publicKeyInfo)),
                    .bytes("SHA-256", Array(SHA256.hash(data: publicKeyInfo))),
                ]),
            InspectedField("extensions", parts: extensions.entries.map(\.inspected)),
            .bytes("signatureValue", signature),
            .bytes("SHA-256", Array(SHA256.hash(data: der)), "of the whole certificate"),
        ]
    }

    /// DER or PEM, or why it is neither.
    static func inspected(_ bytes: [UInt8], _ name: String) -> InspectedField {
        .reading(name) { () throws(MalformedBytes) in try Certificate(bytes).inspected }
    }

    static func inspected(_ der: [UInt8]) -> InspectedField { inspected(der, "certificate") }

    static func time(_ seconds: Int64) -> String { CivilTime(secondsSince1970: seconds).rfc3339 }
}

extension RevocationList {
    /// The names of RFC 5280, section 5.
    var inspected: [InspectedField] {
        let serials = revoked.map(Hex.encode).sorted()
        return [
            .text("issuer", issuer.rfc4514), .text("thisUpdate", Certificate.time(validity.notBefore)),
            .text("nextUpdate", Certificate.time(validity.notAfter)), .text("signatureAlgorithm", algorithm.name),
            .number("revoked", UInt64(serials.count), "certificates"),
            .list("revokedCertificates", serials.map { .text("", $0) }),
            InspectedField("crlExtensions", parts: extensions.entries.map(\.inspected)),
            .bytes("signatureValue", signature),
        ]
    }
}

extension SignatureAlgorithm {
    fileprivate var name: String {
        switch self {
        case .rsaPSSWithSHA384: "RSASSA-PSS with SHA-384"
        case .ecdsaWithSHA256: "ECDSA with SHA-256"
        case .ecdsaWithSHA384: "ECDSA with SHA-384"
        case .rsaWithSHA256: "RSASSA-PKCS1-v1_5 with SHA-256"
        case .rsaWithSHA384: "RSASSA-PKCS1-v1_5 with SHA-384"
        default: "another, under which nothing verifies"
        }
    }
}

extension CertificateExtensions.Entry {
    fileprivate var inspected: InspectedField {
        let known = Self.known[id]
        let name = known.map { $0.name } ?? id
        let parts = known.flatMap { $0.read(value) } ?? []
        let critical = isCritical ? "critical" : nil
        if case .some(let only) = parts.first, parts.count == 1, only.name == name {
            if only.isList { return .list(name, only.parts, critical) }
            return InspectedField(name, only.value, only.meaning ?? critical, parts: only.parts)
        }
        return parts.isEmpty
            ? .bytes(name, value, critical) : InspectedField(name, critical, parts: parts)
    }

    /// How an extension's content is shown; `nil` where it is not as its maker says, and then its bytes are.
    private struct Known: Sendable {
        let name: String
        let read: @Sendable ([UInt8]) -> [InspectedField]?
    }

    private static let known: [String: Known] = {
        var known: [String: Known] = [
            "2.5.29.14": Known(name: "subjectKeyIdentifier") { _ in nil },
            "2.5.29.15": Known(name: "keyUsage", read: KeyUsage.fields),
            "2.5.29.19": Known(name: "basicConstraints", read: BasicConstraints.fields),
            "2.5.29.20": Known(name: "cRLNumber") { _ in nil },
            "2.5.29.31": Known(name: "cRLDistributionPoints") { _ in nil },
            "2.5.29.35": Known(name: "authorityKeyIdentifier") { _ in nil },
            "2.5.29.37": Known(name: "extKeyUsage", read: ExtendedKeyUsage.fields),
            "2.5.29.17": Known(name: "subjectAltName", read: AlternativeNames.fields),
            "2.5.29.32": Known(name: "certificatePolicies", read: CertificatePolicies.fields),
            SGXExtension.id: Known(name: "SGX Extensions", read: SGXExtension.fields),
        ]
        for (suffix, name) in AMDExtension.names {
            known["1.3.6.1.4.1.3704.1.\(suffix)"] = Known(name: name) { AMDExtension.fields(name, $0) }
        }
        return known
    }()
}
