// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto
internal import Evidence

/// Whether a quote was signed by a quoting enclave whose key Intel vouches for: everything that needs no collateral.
struct TDXQuoteCheck {
    let quote: IntelQuote
    let pck: PCKCertificate
    private let authority: IntelAuthorities.Issued?
    private let chainFindings: [Finding]

    /// - Parameter authorities: with what is known of the root's certificates already.
    init(_ quote: IntelQuote, _ chain: PCKChain, authorities: IntelAuthorities) {
        self.quote = quote
        pck = chain.leaf
        var known = authorities
        var findings: [Finding] = []
        authority = known.issued(
            chain.issuers, .pckAuthority, of: "PCK certificate chain", code: .tdxPCKChain, in: &findings)
        chainFindings = findings
    }

    func findings(at now: Int64) -> [Finding] {
        quoteFindings() + enclaveFindings() + chainFindings + leafFindings() + dateFindings(at: now)
    }

    /// What the root's and the CA's lists say of the certificates in the quote.
    func revocationFindings(_ collateral: VerifiedIntelCollateral) -> [Finding] {
        var findings: [Finding] = []
        if pck.certificate.issuer != collateral.pckAuthority.certificate.subject {
            findings.append(
                .collateral(
                    .tdxListIssuer, "pck_crl", expected: "the list of '\(pck.authority.name)', as in the quote",
                    found: "that of '\(collateral.pckAuthority.name)'"))
        }
        if collateral.pckList.revoked.contains(pck.certificate.serial) {
            findings.append(
                Self.untrusted(.tdxPCKRevoked, "PCK certificate", "a certificate that is not revoked", "revoked"))
        }
        if let authority, collateral.isRevoked(authority) {
            findings.append(
                Self.untrusted(
                    .tdxRevokedAuthority, authority.name, "a certificate that is not revoked",
                    "revoked by the root's list"))
        }
        return findings
    }

    private func quoteFindings() -> [Finding] {
        let signature = quote.signature
        let key = P256Key(point: signature.attestationKey)
        var findings: [Finding] = []
        if key?.isValid(signature.signature, over: quote.signedBytes) != true {
            findings.append(
                Self.untrusted(
                    .tdxQuoteSignature, "signature", "an ECDSA P-256 signature by the attestation key",
                    "one that does not verify"))
        }
        let digest = SHA256.hash(data: signature.attestationKey + signature.qeAuthenticationData)
        let bound = Array(digest) + [UInt8](repeating: 0, count: 32)
        if signature.qeReport.reportData != bound {
            findings.append(
                Self.untrusted(
                    .tdxAttestationKey, "QE report REPORTDATA",
                    "\(Hex.encode(digest)), the digest of attestation key and authentication data",
                    Hex.encode(signature.qeReport.reportData)))
        }
        return findings
    }

    private func enclaveFindings() -> [Finding] {
        let key = P256Key(publicKeyInfo: pck.certificate.publicKeyInfo)
        guard key?.isValid(quote.signature.qeReportSignature, over: quote.signature.qeReportBytes) != true else {
            return []
        }
        return [
            Self.untrusted(
                .tdxQESignature, "QE report signature", "an ECDSA P-256 signature by the PCK certificate's key",
                "one that does not verify")
        ]
    }

    private func leafFindings() -> [Finding] {
        guard let authority else { return [] }
        let leaf = pck.certificate
        let isGood =
            leaf.issuer == authority.certificate.subject && leaf.extensions.isAuthority == false
            && leaf.extensions.maySign
            && leaf.extensions.critical(otherThan: CertificateExtensions.knownOfIntel).isEmpty
            && authority.key.signed(leaf)
        guard !isGood else { return [] }
        return [
            Self.untrusted(
                .tdxPCKChain, "PCK certificate", "a certificate that '\(authority.name)' signed",
                "one that it did not")
        ]
    }

    private func dateFindings(at now: Int64) -> [Finding] {
        var dated = [("PCK certificate", pck.certificate.validity)]
        if let authority {
            dated.append((authority.name, authority.certificate.validity))
            dated.append(("Intel SGX Root CA", authority.root.validity))
        }
        return dated.filter { !$0.1.contains(now) }.map { name, validity in
            Finding(
                .tdxPCKDates, subject: name, expected: "in force at \(CivilTime(secondsSince1970: now).rfc3339)",
                found: validity.description,
                remedy: "judge as of the time of the evidence with --at, or ask for new evidence")
        }
    }

    private static func untrusted(
        _ code: Finding.Code, _ subject: String, _ expected: String, _ found: String
    ) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "do not trust the evidence: it was changed, or no genuine platform made it")
    }
}

extension Finding.Code {
    /// The attestation key did not sign the quote.
    public static let tdxQuoteSignature = Self(rawValue: "tdx.quote.signature")
    /// The quoting enclave did not make the attestation key.
    public static let tdxAttestationKey = Self(rawValue: "tdx.attestation-key")
    /// The PCK certificate's key did not sign the quoting enclave's report.
    public static let tdxQESignature = Self(rawValue: "tdx.qe.signature")
    /// The PCK certificate does not chain to the root.
    public static let tdxPCKChain = Self(rawValue: "tdx.pck.chain")
    /// A certificate in the quote is not yet, or no longer, in force.
    public static let tdxPCKDates = Self(rawValue: "tdx.pck.dates")
    /// The PCK certificate was revoked.
    public static let tdxPCKRevoked = Self(rawValue: "tdx.pck.revoked")
}
