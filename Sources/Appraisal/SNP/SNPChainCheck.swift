// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto
internal import Evidence

/// Whether AMD signed the certificate of the key that signs reports, and what else stands in the chain.
package struct SNPChainCheck: Sendable {
    let endorsement: SNPEndorsement
    /// ASK for the key of a chip, ASVK for that of a provider.
    let issuer: AMDAuthority
    let root: AMDAuthority

    /// `nil` where no authority is built in that could have signed it.
    package init?(_ endorsement: SNPEndorsement, authorities: AMDAuthorities) {
        guard let issuer = authorities.authority(endorsement.product, endorsement.kind == .vlek ? .asvk : .ask),
            let root = authorities.authority(endorsement.product, .ark)
        else { return nil }
        self.endorsement = endorsement
        self.issuer = issuer
        self.root = root
    }

    /// What does not change with time: name and signature of the issuer.
    func signatureFindings() -> [Finding] {
        let certificate = endorsement.certificate
        var findings: [Finding] = []
        if certificate.issuer.commonName != issuer.name {
            findings.append(
                Self.finding(
                    .snpChain, "issuer", "'\(issuer.name)'", "'\(certificate.issuer.commonName ?? "no name")'"))
        }
        if !issuer.hasSigned(certificate.signedBytes, certificate.signature, certificate.algorithm) {
            findings.append(
                Self.finding(
                    .snpChain, "\(endorsement.kindName) certificate",
                    "an RSA-PSS signature by \(issuer.name), built in",
                    "one that does not verify"))
        }
        return findings
    }

    func dateFindings(at now: Int64) -> [Finding] {
        let dated = [
            (endorsement.kindName, endorsement.certificate.validity), (issuer.name, issuer.validity),
            (root.name, root.validity),
        ]
        return dated.filter { !$0.1.contains(now) }.map { name, validity in
            Self.finding(
                .snpDates, "\(name) certificate", "in force at \(CivilTime(secondsSince1970: now).rfc3339)",
                "from \(CivilTime(secondsSince1970: validity.notBefore).rfc3339) to "
                    + CivilTime(secondsSince1970: validity.notAfter).rfc3339)
        }
    }

    /// Certificates of authorities in the evidence must be those that are built in, byte for byte: another one, be it
    /// for the same key, is a lie or was issued since.
    package func issuerFindings(_ certificates: [[UInt8]]) -> [Finding] {
        certificates.flatMap { bytes -> [Finding] in
            guard let der = try? PEM.orDER(bytes, label: "CERTIFICATE") else { return [wrongIssuer("no certificate")] }
            return der.compactMap { der in
                let digest = Hex.encode(SHA256.hash(data: der))
                if [issuer, root].contains(where: { $0.certificateDigest == digest }) { return nil }
                guard let certificate = try? Certificate(der: der) else { return wrongIssuer("no certificate") }
                let isSameKey = [issuer, root].contains { $0.publicKeyInfo == certificate.publicKeyInfo }
                return wrongIssuer(
                    "\(isSameKey ? "another certificate of the same key" : "another key") for "
                        + "'\(certificate.subject.commonName ?? "no name")'")
            }
        }
    }

    private func wrongIssuer(_ found: String) -> Finding {
        Finding(
            .snpIssuers, subject: "cert_chain",
            expected: "the certificates of \(issuer.name) and \(root.name), built in",
            found: found,
            remedy: "leave them out of the evidence, or use a newer version of cupel if AMD issued others since")
    }

    static func noAuthority(_ endorsement: SNPEndorsement) -> Finding {
        finding(
            .snpChain, "issuer", "an authority of AMD's that is built in",
            "'\(endorsement.certificate.issuer.commonName ?? "no name")'")
    }

    private static func finding(
        _ code: Finding.Code, _ subject: String, _ expected: String, _ found: String
    ) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "do not trust the evidence, unless you can say which of the certificates is wrong and why")
    }
}

extension SNPEndorsement {
    var kindName: String { kind == .vlek ? "VLEK" : "VCEK" }
}

extension Finding.Code {
    /// The certificate of the key that signed does not chain to a root of AMD's.
    public static let snpChain = Self(rawValue: "snp.certificate.chain")
    /// A certificate is not yet, or no longer, in force.
    public static let snpDates = Self(rawValue: "snp.certificate.dates")
    /// The evidence holds other certificates of authorities than those that are built in.
    public static let snpIssuers = Self(rawValue: "snp.certificate.issuers")
}
