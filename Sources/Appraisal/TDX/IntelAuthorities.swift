// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// What the root signed: the CAs of PCK certificates, and who signs collateral. The same certificates stand in several
/// chains; each is decoded once, and its signature checked once.
struct IntelAuthorities: Sendable {
    enum Role: Sendable {
        /// Signs PCK certificates and their revocation list.
        case pckAuthority
        /// Signs TCB info and QE identity.
        case tcbSigner
    }

    struct Issued: Sendable {
        let certificate: Certificate
        let key: P256Key
        /// The root's certificate beside it in the chain.
        let root: Certificate

        var name: String { certificate.subject.commonName ?? "" }
    }

    static let tcbSignerName = "Intel SGX TCB Signing"

    let root: IntelRoot
    /// `nil` where the root's key is none on P-256: then nothing is under it.
    let rootKey: P256Key?
    private var roots: [Certificate] = []
    private var issued: [Issued] = []

    init(root: IntelRoot) {
        self.root = root
        rootKey = P256Key(publicKeyInfo: root.publicKeyInfo)
    }

    /// The certificate that a chain of two begins with, where it has this role and the root signed it.
    mutating func issued(
        _ chain: [[UInt8]], _ role: Role, of subject: String, code: Finding.Code, in findings: inout [Finding]
    ) -> Issued? {
        guard chain.count == 2 else {
            findings.append(
                .collateral(
                    code, subject, expected: "the certificate and the root's", found: "\(chain.count) certificates"))
            return nil
        }
        do throws(MalformedBytes) {
            guard let root = try rootCertificate(chain[1]) else {
                findings.append(
                    .collateral(
                        .tdxRoot, subject, expected: "a chain that ends at the key of the Intel SGX Root CA",
                        found: "another key"))
                return nil
            }
            guard let found = try certificate(chain[0], under: root), found.has(role) else {
                findings.append(
                    .collateral(
                        code, subject, expected: "\(role.description), signed by the root",
                        found: "a certificate that is not"))
                return nil
            }
            return found
        } catch {
            findings.append(.malformedIntelCertificate(subject, error))
            return nil
        }
    }

    private mutating func rootCertificate(_ der: [UInt8]) throws(MalformedBytes) -> Certificate? {
        if let known = roots.first(where: { $0.der == der }) { return known }
        let certificate = try Certificate(der: der)
        guard root.isOwn(certificate) else { return nil }
        roots.append(certificate)
        return certificate
    }

    private mutating func certificate(_ der: [UInt8], under root: Certificate) throws(MalformedBytes) -> Issued? {
        if let known = issued.first(where: { $0.certificate.der == der && $0.root == root }) { return known }
        let certificate = try Certificate(der: der)
        guard certificate.issuer == root.subject,
            certificate.extensions.critical(otherThan: CertificateExtensions.knownOfIntel).isEmpty,
            rootKey?.signed(certificate) == true,
            let key = P256Key(publicKeyInfo: certificate.publicKeyInfo)
        else { return nil }
        let found = Issued(certificate: certificate, key: key, root: root)
        issued.append(found)
        return found
    }
}

extension IntelAuthorities.Issued {
    fileprivate func has(_ role: IntelAuthorities.Role) -> Bool {
        let extensions = certificate.extensions
        switch role {
        case .pckAuthority:
            return PCKCertificate.Authority.allCases.contains { $0.name == name } && extensions.isAuthority == true
                && extensions.maySignCertificates && extensions.maySignRevocationLists
        case .tcbSigner:
            return name == IntelAuthorities.tcbSignerName && extensions.isAuthority == false && extensions.maySign
        }
    }
}

extension IntelAuthorities.Role {
    fileprivate var description: String {
        switch self {
        case .pckAuthority: "the certificate of a PCK Platform or Processor CA"
        case .tcbSigner: "the certificate '\(IntelAuthorities.tcbSignerName)'"
        }
    }
}

extension CertificateExtensions {
    /// Critical extensions in certificates of Intel's, all of which are looked at.
    static let knownOfIntel: Set<String> = [basicConstraints, keyUsage]
}

extension Finding {
    static func collateral(_ code: Code, _ subject: String, expected: String, found: String) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "fetch the collateral again from Intel's service; if it stays so, do not trust the evidence")
    }

    static func malformedIntelCertificate(_ subject: String, _ error: MalformedBytes) -> Finding {
        .collateral(
            .malformedCertificate, subject, expected: "certificates and lists that parse completely",
            found: "\(error)")
    }
}

extension Finding.Code {
    /// A chain ends at another key than that of the Intel SGX Root CA.
    public static let tdxRoot = Self(rawValue: "tdx.root")
}
