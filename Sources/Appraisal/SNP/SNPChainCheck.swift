// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Whether AMD signed the certificate of the key that signs reports, and what else stands in the chain.
struct SNPChainCheck {
    let endorsement: SNPEndorsement
    /// Certificates of authorities that came with the evidence, DER.
    let issuers: [[UInt8]]
    let authorities: AMDAuthorities
    let revocationLists: [RevocationList]
    let now: Int64

    func findings() -> [Finding] {
        guard let issuer, let root else {
            return [
                finding(
                    .snpChain, "issuer", "an authority of AMD's that is built in",
                    "'\(endorsement.certificate.issuer.commonName ?? "no name")'")
            ]
        }
        return signatureFindings(issuer) + dateFindings([issuer, root]) + issuerFindings([issuer, root])
            + revocationFindings(issuer, root)
    }

    /// ASK for the key of a chip, ASVK for that of a provider.
    var issuer: AMDAuthority? {
        authorities.authority(endorsement.product, endorsement.kind == .vlek ? .asvk : .ask)
    }

    private var root: AMDAuthority? { authorities.authority(endorsement.product, .ark) }

    private func signatureFindings(_ issuer: AMDAuthority) -> [Finding] {
        let certificate = endorsement.certificate
        var findings: [Finding] = []
        if certificate.issuer.commonName != issuer.name {
            findings.append(
                finding(.snpChain, "issuer", "'\(issuer.name)'", "'\(certificate.issuer.commonName ?? "no name")'"))
        }
        let isSigned =
            certificate.algorithm == .rsaPSSWithSHA384
            && certificate.algorithm.isValid(
                certificate.signature, over: certificate.signedBytes, by: issuer.publicKeyInfo)
        if !isSigned {
            findings.append(
                finding(
                    .snpChain, "\(kindName) certificate", "an RSA-PSS signature by \(issuer.name), built in",
                    "one that does not verify"))
        }
        return findings
    }

    private func dateFindings(_ authorities: [AMDAuthority]) -> [Finding] {
        let dated = [(kindName, endorsement.certificate.validity)] + authorities.map { ($0.name, $0.validity) }
        return dated.filter { !$0.1.contains(now) }.map { name, validity in
            finding(
                .snpDates, "\(name) certificate", "in force at \(CivilTime(secondsSince1970: now).rfc3339)",
                "from \(CivilTime(secondsSince1970: validity.notBefore).rfc3339) to "
                    + CivilTime(secondsSince1970: validity.notAfter).rfc3339)
        }
    }

    /// Certificates in the evidence must be those whose keys are built in: another one is a lie, or a new root.
    private func issuerFindings(_ authorities: [AMDAuthority]) -> [Finding] {
        issuers.compactMap { der in
            let certificate = try? Certificate(der)
            if let certificate, authorities.contains(where: { $0.publicKeyInfo == certificate.publicKeyInfo }) {
                return nil
            }
            return finding(
                .snpIssuers, "cert_chain", "\(authorities.map(\.name).joined(separator: " and ")), built in",
                certificate.map { "another key for '\($0.subject.commonName ?? "no name")'" } ?? "no certificate")
        }
    }

    private func revocationFindings(_ issuer: AMDAuthority, _ root: AMDAuthority) -> [Finding] {
        revocationLists.flatMap { list -> [Finding] in
            let signer = [root, issuer].first {
                list.algorithm == .rsaPSSWithSHA384
                    && list.algorithm.isValid(list.signature, over: list.signedBytes, by: $0.publicKeyInfo)
            }
            guard let signer else { return [] }
            var findings: [Finding] = []
            if !list.validity.contains(now) {
                findings.append(
                    finding(
                        .snpRevocationDates, "CRL of \(signer.name)",
                        "in force at \(CivilTime(secondsSince1970: now).rfc3339)",
                        "next update \(CivilTime(secondsSince1970: list.validity.notAfter).rfc3339)"))
            }
            let subjects =
                signer == root
                ? [(issuer.name, issuer.serial), (root.name, root.serial)]
                : [(kindName, endorsement.certificate.serial)]
            for (name, serial) in subjects where list.revoked.contains(serial) {
                findings.append(
                    finding(.snpRevoked, "\(name) certificate", "not revoked", "revoked by the CRL of \(signer.name)"))
            }
            return findings
        }
    }

    private var kindName: String { endorsement.kind == .vlek ? "VLEK" : "VCEK" }

    private func finding(_ code: Finding.Code, _ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "do not trust the evidence, unless you can say which of the certificates is wrong and why")
    }
}

extension Finding.Code {
    /// The certificate of the key that signed does not chain to a root of AMD's.
    public static let snpChain = Self(rawValue: "snp.certificate.chain")
    /// A certificate is not yet, or no longer, in force.
    public static let snpDates = Self(rawValue: "snp.certificate.dates")
    /// The evidence names other authorities than those that are built in.
    public static let snpIssuers = Self(rawValue: "snp.certificate.issuers")
    /// A certificate was revoked.
    public static let snpRevoked = Self(rawValue: "snp.certificate.revoked")
    /// A revocation list of AMD's is not in force.
    public static let snpRevocationDates = Self(rawValue: "snp.crl.dates")
}
