// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Collateral whose signatures, chains and revocation lists were found good. It can be kept, and used for any number
/// of quotes; the dates are judged anew for each. There is no other way to one than ``verify(_:root:)``.
package struct VerifiedIntelCollateral: Sendable {
    package enum Outcome: Sendable {
        case verified(VerifiedIntelCollateral)
        /// Never without a reason.
        case refused([Finding])
    }

    let root: IntelRoot
    let authorities: IntelAuthorities
    package let tcbInfo: TCBInfo
    package let qeIdentity: QEIdentity
    let pckAuthority: IntelAuthorities.Issued
    package let pckList: RevocationList
    package let rootList: RevocationList
    private let dated: [(name: String, validity: Validity)]

    /// Checks everything but dates.
    package static func verify(_ collateral: IntelCollateral, root: IntelRoot = .intel) -> Outcome {
        verify(collateral, tcbInfo: nil, root: root)
    }

    /// - Parameter tcbInfo: that of the collateral, where it was decoded already.
    static func verify(_ collateral: IntelCollateral, tcbInfo: TCBInfo?, root: IntelRoot) -> Outcome {
        var check = IntelCollateralCheck(collateral: collateral, tcbInfo: tcbInfo, root: root)
        guard let verified = check.verified(), check.findings.isEmpty else { return .refused(check.findings) }
        return .verified(verified)
    }

    fileprivate init?(_ check: IntelCollateralCheck) {
        guard check.findings.isEmpty, let tcbInfo = check.tcbInfo, let qeIdentity = check.qeIdentity,
            let tcbSigner = check.tcbSigner, let qeSigner = check.qeSigner, let pckAuthority = check.pckAuthority,
            let pckList = check.pckList, let rootList = check.rootList
        else { return nil }
        root = check.authorities.root
        authorities = check.authorities
        (self.tcbInfo, self.qeIdentity, self.pckAuthority) = (tcbInfo, qeIdentity, pckAuthority)
        (self.pckList, self.rootList) = (pckList, rootList)
        dated =
            [
                ("TCB info", tcbInfo.validity), ("QE identity", qeIdentity.validity), ("PCK CRL", pckList.validity),
                ("root CA CRL", rootList.validity),
            ]
            + [tcbSigner, qeSigner, pckAuthority].flatMap { issued in
                [(issued.name, issued.certificate.validity), ("Intel SGX Root CA", issued.root.validity)]
            }
    }

    /// When all of it is good.
    package var validity: Validity { Validity.common(to: dated.map(\.validity)) }

    /// What is not yet, or no longer, in force.
    func dateFindings(at now: Int64) -> [Finding] {
        guard !validity.contains(now) else { return [] }
        var named: Set<String> = []
        return dated.filter { !$0.validity.contains(now) && named.insert($0.name).inserted }.map { name, validity in
            Finding(
                .tdxCollateralDates, subject: name,
                expected: "in force at \(CivilTime(secondsSince1970: now).rfc3339)", found: validity.description,
                remedy: "fetch the collateral again, or judge as of the time of the evidence with --at")
        }
    }

    /// Whether a certificate that the root signed was taken back.
    func isRevoked(_ issued: IntelAuthorities.Issued) -> Bool { rootList.revoked.contains(issued.certificate.serial) }
}

/// Collects what is wrong with collateral.
private struct IntelCollateralCheck {
    let collateral: IntelCollateral
    private(set) var authorities: IntelAuthorities
    private(set) var findings: [Finding] = []
    private(set) var tcbInfo: TCBInfo?
    private(set) var qeIdentity: QEIdentity?
    private(set) var tcbSigner: IntelAuthorities.Issued?
    private(set) var qeSigner: IntelAuthorities.Issued?
    private(set) var pckAuthority: IntelAuthorities.Issued?
    private(set) var pckList: RevocationList?
    private(set) var rootList: RevocationList?

    init(collateral: IntelCollateral, tcbInfo: TCBInfo?, root: IntelRoot) {
        self.collateral = collateral
        self.tcbInfo = tcbInfo
        authorities = IntelAuthorities(root: root)
    }

    mutating func verified() -> VerifiedIntelCollateral? {
        readChains()
        readLists()
        readDocuments()
        return VerifiedIntelCollateral(self)
    }

    private mutating func readChains() {
        tcbSigner = issued(collateral.tcbInfoIssuerChain, .tcbSigner, of: "tcb_info_issuer_chain")
        qeSigner =
            collateral.qeIdentityIssuerChain == collateral.tcbInfoIssuerChain
            ? tcbSigner : issued(collateral.qeIdentityIssuerChain, .tcbSigner, of: "qe_identity_issuer_chain")
        pckAuthority = issued(collateral.pckCRLIssuerChain, .pckAuthority, of: "pck_crl_issuer_chain")
    }

    private mutating func issued(
        _ pem: [UInt8], _ role: IntelAuthorities.Role, of subject: String
    ) -> IntelAuthorities.Issued? {
        do throws(MalformedBytes) {
            let chain = try PEM.decode(pem, label: "CERTIFICATE")
            return authorities.issued(chain, role, of: subject, code: .tdxCollateralChain, in: &findings)
        } catch {
            findings.append(.malformedIntelCertificate(subject, error))
            return nil
        }
    }

    private mutating func readLists() {
        rootList = list(
            collateral.rootCACRL, of: "root_ca_crl", by: pckAuthority?.root ?? tcbSigner?.root, key: authorities.rootKey
        )
        pckList = list(
            collateral.pckCRL, of: "pck_crl", by: pckAuthority?.certificate, key: pckAuthority?.key)
        guard let rootList else { return }
        var serials: Set<[UInt8]> = []
        for issued in [tcbSigner, qeSigner, pckAuthority].compactMap(\.self)
        where rootList.revoked.contains(issued.certificate.serial) && serials.insert(issued.certificate.serial).inserted
        {
            findings.append(
                .collateral(
                    .tdxRevokedAuthority, issued.name, expected: "a certificate that is not revoked",
                    found: "revoked by the root's list"))
        }
    }

    private mutating func list(
        _ bytes: [UInt8], of subject: String, by signer: Certificate?, key: P256Key?
    ) -> RevocationList? {
        guard let signer, let key else { return nil }
        do throws(MalformedBytes) {
            let list = try RevocationList(bytes)
            guard list.issuer == signer.subject else {
                findings.append(
                    .collateral(
                        .tdxListIssuer, subject, expected: "a list of '\(signer.subject.commonName ?? "")'",
                        found: "one of '\(list.issuer.commonName ?? "no name")'"))
                return nil
            }
            guard key.signed(list) else {
                findings.append(
                    .collateral(
                        .tdxListSignature, subject,
                        expected: "a signature by '\(signer.subject.commonName ?? "")'",
                        found: "one that does not verify"))
                return nil
            }
            return list
        } catch {
            findings.append(.malformedIntelCertificate(subject, error))
            return nil
        }
    }

    private mutating func readDocuments() {
        do throws(MalformedBytes) {
            if tcbInfo == nil { tcbInfo = try TCBInfo(collateral.tcbInfo) }
            qeIdentity = try QEIdentity(collateral.qeIdentity)
        } catch {
            findings.append(.malformedCollateral(error.format, error))
        }
        check(collateral.tcbInfoSignature, over: collateral.tcbInfo, by: tcbSigner, .tdxTCBInfoSignature, "tcb_info")
        check(
            collateral.qeIdentitySignature, over: collateral.qeIdentity, by: qeSigner, .tdxQEIdentitySignature,
            "qe_identity")
        if let tcbInfo, let qeIdentity, tcbInfo.tee != qeIdentity.tee {
            findings.append(
                .collateral(
                    .tdxCollateralTEE, "qe_identity", expected: "of the same kind as the TCB info",
                    found: "one of SGX and one of TDX"))
        }
    }

    private mutating func check(
        _ signature: [UInt8], over document: [UInt8], by signer: IntelAuthorities.Issued?, _ code: Finding.Code,
        _ subject: String
    ) {
        guard let signer, !signer.key.isValid(signature, over: document) else { return }
        findings.append(
            .collateral(
                code, subject, expected: "a signature by '\(signer.name)' over these bytes",
                found: "one that does not verify"))
    }
}

extension Validity {
    var description: String {
        "from \(CivilTime(secondsSince1970: notBefore).rfc3339) to \(CivilTime(secondsSince1970: notAfter).rfc3339)"
    }
}

extension Finding {
    static func malformedCollateral(_ subject: String, _ error: MalformedBytes) -> Finding {
        .collateral(
            .tdxMalformedCollateral, subject, expected: "a document that parses completely", found: "\(error)")
    }
}

extension Finding.Code {
    /// A part of the collateral does not parse.
    public static let tdxMalformedCollateral = Self(rawValue: "tdx.collateral.malformed")
    /// The root did not sign the certificate of who signed a part of the collateral.
    public static let tdxCollateralChain = Self(rawValue: "tdx.collateral.chain")
    /// A part of the collateral is not yet, or no longer, in force.
    public static let tdxCollateralDates = Self(rawValue: "tdx.collateral.dates")
    /// TCB info and QE identity are not both of TDX.
    public static let tdxCollateralTEE = Self(rawValue: "tdx.collateral.tee")
    /// The TCB info's signature does not verify.
    public static let tdxTCBInfoSignature = Self(rawValue: "tdx.tcb-info.signature")
    /// The QE identity's signature does not verify.
    public static let tdxQEIdentitySignature = Self(rawValue: "tdx.qe-identity.signature")
    /// A revocation list is another CA's.
    public static let tdxListIssuer = Self(rawValue: "tdx.crl.issuer")
    /// A revocation list's signature does not verify.
    public static let tdxListSignature = Self(rawValue: "tdx.crl.signature")
    /// The root took back the certificate of a CA, or of who signs collateral.
    public static let tdxRevokedAuthority = Self(rawValue: "tdx.authority.revoked")
}
