// SPDX-License-Identifier: Apache-2.0

/// The way from a certificate of a TPM's key to a CA that the verifier names (RFC 5280, section 6.1; TCG EK Credential
/// Profile, section 3; TCG AK Certificate profile).
///
/// Names and signatures make the way; dates, basic constraints, path length, key usage, purposes, and critical
/// extensions that are not known, are then judged of each certificate on it. Name constraints and policy constraints
/// are not known, so a critical one is refused. Revocation is not looked at.
struct TPMCertificatePath {
    /// Certificates on a way, the named CA included; a longer one is not looked for.
    static let maximumLength = 8
    /// Signatures that are checked at most in looking for ways.
    static let maximumChecks = 64

    enum Purpose: String {
        /// tcg-kp-EKCertificate.
        case endorsementKey = "2.23.133.8.1"
        /// tcg-kp-AIKCertificate.
        case attestationKey = "2.23.133.8.3"
    }

    let leaf: Certificate
    let purpose: Purpose
    /// What the evidence and the verifier have of intermediates.
    let issuers: [Certificate]
    let authorities: [Certificate]
    let now: Int64

    /// The name of the CA at the end of a way that nothing is wrong with; otherwise what is wrong with the first one.
    func outcome() -> (authority: String?, findings: [Finding]) {
        let ways = self.ways()
        guard let first = ways.first else {
            return (
                nil,
                [
                    finding(
                        .tpmPath, leafName, "a chain that ends at a CA that the policy names",
                        "none: issued by '\(leaf.issuer.commonName ?? "no name")'",
                        "name the CA in the policy if you trust it, and the intermediates with --collateral")
                ]
            )
        }
        let judged = ways.map { (way: $0, findings: findings(on: $0)) }
        if let good = judged.first(where: { $0.findings.isEmpty }) {
            return (good.way.last?.subject.commonName ?? "a CA without a name", [])
        }
        return (nil, findings(on: first))
    }

    /// Leaf first, a named CA last.
    private func ways() -> [[Certificate]] {
        var found: [[Certificate]] = []
        var open: [[Certificate]] = [[leaf]]
        var checksLeft = Self.maximumChecks
        while let way = open.popLast(), let last = way.last {
            for candidate in authorities + issuers where candidate.subject.der == last.issuer.der {
                guard !way.contains(candidate), checksLeft > 0 else { continue }
                checksLeft -= 1
                guard last.algorithm.isValid(last.signature, over: last.signedBytes, by: candidate.publicKeyInfo) else {
                    continue
                }
                if authorities.contains(candidate) {
                    found.append(way + [candidate])
                } else if way.count + 1 < Self.maximumLength {
                    open.append(way + [candidate])
                }
            }
        }
        return found
    }

    private func findings(on way: [Certificate]) -> [Finding] {
        dateFindings(way) + extensionFindings(way) + authorityFindings(way) + purposeFindings(way)
    }

    private func dateFindings(_ way: [Certificate]) -> [Finding] {
        way.filter { !$0.validity.contains(now) }.map { certificate in
            finding(
                .tpmDates, name(certificate), "in force at \(CivilTime(secondsSince1970: now).rfc3339)",
                "from \(CivilTime(secondsSince1970: certificate.validity.notBefore).rfc3339) to "
                    + CivilTime(secondsSince1970: certificate.validity.notAfter).rfc3339)
        }
    }

    /// A critical alternative name says which TPM it is, and limits nothing.
    private static let knownExtensions: Set<String> = [
        CertificateExtensions.basicConstraints, CertificateExtensions.keyUsage, CertificateExtensions.extendedKeyUsage,
        "2.5.29.17",
    ]

    private func extensionFindings(_ way: [Certificate]) -> [Finding] {
        way.flatMap { certificate in
            certificate.extensions.critical(otherThan: Self.knownExtensions).map { id in
                finding(.tpmExtension, name(certificate), "no critical extension that is not known", id)
            }
        }
    }

    private func authorityFindings(_ way: [Certificate]) -> [Finding] {
        way.enumerated().dropFirst().flatMap { index, certificate -> [Finding] in
            var findings: [Finding] = []
            if certificate.extensions.isAuthority != true || !certificate.extensions.maySignCertificates {
                findings.append(
                    finding(
                        .tpmAuthority, name(certificate), "a CA that may sign certificates",
                        certificate.extensions.isAuthority == true ? "a CA that may not" : "no CA"))
            }
            if let limit = certificate.extensions.pathLength, index - 1 > limit {
                findings.append(
                    finding(
                        .tpmAuthority, name(certificate), "at most \(limit) CAs below it, by pathLenConstraint",
                        "\(index - 1)"))
            }
            return findings
        }
    }

    /// Purposes of the named CA itself are not judged: the verifier named it for this.
    private func purposeFindings(_ way: [Certificate]) -> [Finding] {
        var findings: [Finding] = []
        for certificate in way.dropLast() where !certificate.extensions.isFor(purpose) {
            findings.append(
                finding(
                    .tpmPurpose, name(certificate), "\(purpose.rawValue) among its extended key usages",
                    certificate.extensions.purposes.joined(separator: ", ")))
        }
        if leaf.extensions.isAuthority == true {
            findings.append(finding(.tpmPurpose, leafName, "the certificate of a TPM's key", "that of a CA"))
        }
        if purpose == .attestationKey, !leaf.extensions.maySign {
            findings.append(finding(.tpmPurpose, leafName, "digitalSignature among its key usages", "it is missing"))
        }
        return findings
    }

    private var leafName: String { purpose == .attestationKey ? "ak_certificate" : "ek_certificate" }

    private func name(_ certificate: Certificate) -> String {
        certificate == leaf ? leafName : "certificate of '\(certificate.subject.commonName ?? "no name")'"
    }

    private func finding(
        _ code: Finding.Code, _ subject: String, _ expected: String, _ found: String,
        _ remedy: String = "do not trust the evidence, unless you can say which of the certificates is wrong and why"
    ) -> Finding {
        Finding(code, subject: subject, expected: expected, found: found, remedy: remedy)
    }
}

extension Finding.Code {
    /// No chain of certificates leads to a CA that the policy names.
    public static let tpmPath = Self(rawValue: "tpm.certificate.path")
    /// A certificate is not yet, or no longer, in force.
    public static let tpmDates = Self(rawValue: "tpm.certificate.dates")
    /// A certificate has a critical extension that is not known.
    public static let tpmExtension = Self(rawValue: "tpm.certificate.extension")
    /// A certificate on the way may not sign certificates, or not at this depth.
    public static let tpmAuthority = Self(rawValue: "tpm.certificate.authority")
    /// A certificate is for something else than a TPM's key.
    public static let tpmPurpose = Self(rawValue: "tpm.certificate.purpose")
}
