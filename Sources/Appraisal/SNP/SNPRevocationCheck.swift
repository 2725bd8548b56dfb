// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Whether AMD revoked an authority (RFC 5280, section 6.3). AMD's lists are signed by a product line's root, and name
/// what that root signed: an ASK or ASVK. Keys of chips have no serial number, and are on no list.
struct SNPRevocationCheck {
    let issuer: AMDAuthority
    let root: AMDAuthority
    /// Lists of this product line's root, whose signature was checked.
    private let lists: [RevocationList]
    private let malformed: [Finding]

    /// Lists that other roots of AMD's signed say nothing here, and are passed over. One that none of them signed is a
    /// finding: whoever handed it over relies on it.
    init(_ lists: [[UInt8]], chain: SNPChainCheck, authorities: AMDAuthorities) {
        issuer = chain.issuer
        root = chain.root
        var own: [RevocationList] = []
        var malformed: [Finding] = []
        for bytes in lists {
            do throws(MalformedBytes) {
                let list = try RevocationList(bytes)
                let signer = authorities.all.first { $0.role == .ark && $0.name == list.issuer.commonName }
                guard let signer, signer.hasSigned(list.signedBytes, list.signature, list.algorithm) else {
                    malformed.append(Self.notSigned(list))
                    continue
                }
                if signer.product == chain.root.product { own.append(list) }
            } catch {
                malformed.append(
                    Finding(
                        .malformedCertificate, subject: "CRL", expected: "a revocation list that parses completely",
                        found: "\(error)", remedy: "fetch it again from AMD's key distribution service"))
            }
        }
        self.lists = own
        self.malformed = malformed
    }

    /// Whether a list of the root was there that is in force.
    func isChecked(at now: Int64) -> Bool { lists.contains { $0.validity.contains(now) } }

    /// A key that any list revokes is refused, whatever the list's date: who holds a stolen key can choose the date of
    /// what he signs. Lists that are out of force are otherwise let pass where another one is in force.
    func findings(at now: Int64, isRequired: Bool) -> [Finding] {
        var findings = malformed
        if !isChecked(at: now) {
            findings += lists.map { list in
                Finding(
                    .snpRevocationDates, subject: "CRL of \(root.name)",
                    expected: "in force at \(CivilTime(secondsSince1970: now).rfc3339)",
                    found: "from \(CivilTime(secondsSince1970: list.validity.notBefore).rfc3339) to "
                        + CivilTime(secondsSince1970: list.validity.notAfter).rfc3339,
                    remedy: "fetch the list again from AMD's key distribution service, or leave it out")
            }
            if isRequired, lists.isEmpty {
                findings.append(
                    Finding(
                        .snpRevocationMissing, subject: "CRL of \(root.name)", expected: "a list that is in force",
                        found: "none",
                        remedy: "fetch it from AMD's key distribution service, and name it with --collateral"))
            }
        }
        for authority in [issuer, root] where lists.contains(where: { $0.revoked.contains(authority.serial) }) {
            findings.append(
                Finding(
                    .snpRevoked, subject: "\(authority.name) certificate", expected: "not revoked",
                    found: "revoked by the CRL of \(root.name)",
                    remedy: "do not trust the evidence: AMD no longer vouches for this key"))
        }
        return findings
    }

    private static func notSigned(_ list: RevocationList) -> Finding {
        Finding(
            .snpRevocationSignature, subject: "CRL of '\(list.issuer.commonName ?? "no name")'",
            expected: "an RSA-PSS signature by a root of AMD's that is built in", found: "none that verifies",
            remedy: "do not use the list: fetch it again from AMD's key distribution service, or leave it out")
    }
}

extension Finding.Code {
    /// A certificate was revoked.
    public static let snpRevoked = Self(rawValue: "snp.certificate.revoked")
    /// A revocation list of AMD's is not in force.
    public static let snpRevocationDates = Self(rawValue: "snp.crl.dates")
    /// A revocation list was not signed by a root of AMD's.
    public static let snpRevocationSignature = Self(rawValue: "snp.crl.signature")
    /// The policy requires a revocation list, and none is at hand.
    public static let snpRevocationMissing = Self(rawValue: "snp.crl.missing")
}
