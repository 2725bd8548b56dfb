// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Whether the key that signed a quote is a TPM's attestation key.
///
/// A certificate of the key by a CA that the verifier names says so, and so does the verifier who names the key. An
/// endorsement certificate does not: it is of another key, and that both are of one TPM is shown by activating a
/// credential, which is a conversation and leaves no evidence.
struct TPMKeyCheck {
    /// What makes the key trusted.
    enum Trust: Hashable {
        /// The verifier named it.
        case named
        /// A CA of this name certified it, and named the TPM's endorsement certificate, which is in the evidence.
        case certified(String, endorsement: Digest256? = nil)
        /// Nothing; a CA of this name certified the endorsement key beside it.
        case unbound(String)
    }

    let evidence: TPMEvidence
    let policy: TPMPolicy
    /// Intermediates that the verifier has, DER or PEM.
    let intermediates: [[UInt8]]
    let now: Int64?

    private static let step = "attestation key"

    /// Step 2. Returns what makes the key trusted, where something does.
    func record(in steps: inout ReportRecorder) -> Trust? {
        let attributes = attributeFindings()
        if policy.attestationKeyNames.contains(evidence.attestationKey.name) {
            steps.decide(
                2, Self.step, attributes,
                passed: "\(Hex.encode(evidence.attestationKey.name)), which the policy names; restricted to what its "
                    + "TPM made")
            return .named
        }
        guard !policy.trustedCertificates.isEmpty || !policy.attestationKeyNames.isEmpty else {
            steps.obstruct(2, Self.step, Self.noAuthority)
            return nil
        }
        guard let now else {
            steps.obstruct(2, Self.step, .withoutTime)
            return nil
        }
        let authorities: [Certificate]
        do throws(MalformedBytes) {
            authorities = try policy.trustedCertificates.map { bytes throws(MalformedBytes) in
                try Self.certificates(bytes)
            }.flatMap(\.self)
        } catch {
            steps.obstruct(2, Self.step, Self.malformedAuthority(error))
            return nil
        }
        let (trust, findings) = outcome(authorities, now)
        steps.decide(2, Self.step, findings + attributes, passed: trust.map(Self.sentence) ?? "")
        let endorsement = recordEndorsement(authorities, now, in: &steps)
        if case .certified(let authority, _) = trust { return .certified(authority, endorsement: endorsement) }
        return trust
    }

    /// What the certificate of the attestation key says of the TPM, where there is one that parses.
    private func recordEndorsement(
        _ authorities: [Certificate], _ now: Int64, in steps: inout ReportRecorder
    ) -> Digest256? {
        guard let chain = evidence.attestationChain, let certificate = try? Certificate(der: chain.certificate) else {
            return nil
        }
        return TPMEndorsementCheck(
            attestationCertificate: certificate, endorsementChain: evidence.endorsementChain,
            path: { path($0, .endorsementKey, authorities, now) }
        ).record(in: &steps)
    }

    private func outcome(_ authorities: [Certificate], _ now: Int64) -> (Trust?, [Finding]) {
        if let chain = evidence.attestationChain {
            let (authority, findings) = path(chain, .attestationKey, authorities, now)
            return (authority.map { Trust.certified($0) }, findings)
        }
        guard let chain = evidence.endorsementChain else { return (nil, [unknown]) }
        let (authority, findings) = path(chain, .endorsementKey, authorities, now)
        let isAccepted = policy.acceptUnboundAttestationKeyUnsafely
        return (authority.map(Trust.unbound), findings + (isAccepted ? [] : [Self.unbound]))
    }

    private func path(
        _ chain: TPMEvidence.Chain, _ purpose: TPMCertificatePath.Purpose, _ authorities: [Certificate], _ now: Int64
    ) -> (String?, [Finding]) {
        let leaf: Certificate
        var issuers: [Certificate] = []
        do throws(MalformedBytes) {
            leaf = try Certificate(der: chain.certificate)
            for bytes in chain.issuers { issuers.append(try Certificate(der: bytes)) }
        } catch {
            return (nil, [Self.malformed(error)])
        }
        issuers += intermediates.flatMap { (try? Self.certificates($0)) ?? [] }
        let (authority, findings) = TPMCertificatePath(
            leaf: leaf, purpose: purpose, issuers: issuers, authorities: authorities, now: now
        ).outcome()
        return (authority, (purpose == .attestationKey ? keyFindings(leaf) : []) + findings)
    }

    /// Reads one certificate as DER, or several as PEM.
    private static func certificates(_ bytes: [UInt8]) throws(MalformedBytes) -> [Certificate] {
        try PEM.orDER(bytes, label: "CERTIFICATE").map { der throws(MalformedBytes) in
            try Certificate(der: der)
        }
    }

    private func keyFindings(_ certificate: Certificate) -> [Finding] {
        guard certificate.publicKeyInfo != evidence.attestationKey.subjectPublicKeyInfo else { return [] }
        return [
            Finding(
                .tpmCertificateKey, subject: "ak_certificate", expected: "the key of ak_public", found: "another key",
                remedy: "send the certificate of the key that signed the quote")
        ]
    }

    /// What a TPM must hold of a key so that its quotes mean something. Who says that it does is the CA, or the
    /// verifier who named the key: TPMT_PUBLIC itself is signed by nobody.
    private func attributeFindings() -> [Finding] {
        let key = evidence.attestationKey
        var findings: [Finding] = []
        if !key.attributes.contains(.attestationKey) || key.attributes.contains(.decrypt) {
            findings.append(
                keyFinding(
                    .tpmKeyAttributes, "objectAttributes",
                    "fixedTPM, fixedParent, sensitiveDataOrigin, restricted and sign, without decrypt",
                    "0x\(String(key.attributes.rawValue, radix: 16))"))
        }
        let wanted = evidence.signature.scheme
        if key.scheme?.algorithm != wanted.algorithm || key.scheme?.hash != wanted.hash {
            findings.append(
                keyFinding(
                    .tpmKeyScheme, "parameters.scheme",
                    "\(wanted.name) with \(wanted.hash), by which the quote is signed",
                    key.scheme.map { "0x\(String($0.algorithm, radix: 16)) with \($0.hash?.description ?? "no hash")" }
                        ?? "none"))
        }
        return findings
    }

    private func keyFinding(
        _ code: Finding.Code, _ subject: String, _ expected: String, _ found: String
    ) -> Finding {
        Finding(
            code, subject: "ak_public.\(subject)", expected: expected, found: found,
            remedy: "quote with an attestation key, as tpm2_createak makes it")
    }
}

extension TPMKeyCheck {
    private static func sentence(_ trust: Trust) -> String {
        switch trust {
        case .named: "named by the policy"
        case .certified(let authority, _):
            "certified by '\(authority)', which the policy names, and restricted to what its TPM made; "
                + "revocation not checked"
        case .unbound(let authority):
            "not tied to any TPM, which was accepted by name; '\(authority)' certified an endorsement key beside it"
        }
    }

    private static let noAuthority = Finding(
        .tpmNoAuthority, subject: "trusted CAs of TPMs", expected: "at least one CA, or attestation key, in the policy",
        found: "none: TPMs have no root that could be built in",
        remedy: "name the CA that certifies the machine's attestation key (--tpm-ca, or in a policy), once you trust it"
    )

    private static func malformedAuthority(_ error: MalformedBytes) -> Finding {
        Finding(
            .tpmMalformedAuthority, subject: "trusted CAs of TPMs",
            expected: "certificates, as DER or PEM", found: "\(error)",
            remedy: "correct the certificate in the policy")
    }

    private static func malformed(_ error: MalformedBytes) -> Finding {
        Finding(
            .malformedCertificate, subject: "certificates", expected: "certificates that parse completely",
            found: "\(error)", remedy: "read them again from the TPM's NV memory, or fetch them from the cloud")
    }

    private var unknown: Finding {
        Finding(
            .tpmUnknownKey, subject: "ak_public",
            expected: "an ak_certificate by a CA that the policy names, or a key that it names",
            found: "no certificate, and a key of the name \(Hex.encode(evidence.attestationKey.name))",
            remedy: "have a CA certify the attestation key after activating a credential for it")
    }

    private static let unbound = Finding(
        .tpmUnbound, subject: "ak_public", expected: "an ak_certificate, which ties the key to a TPM",
        found: "an endorsement certificate, which is of another key: that both are of one TPM cannot be shown offline",
        remedy: "have a CA certify the attestation key after activating a credential for it, or name the key's TPM "
            + "name in the policy")
}

extension TPMSignature {
    /// As TPMT_PUBLIC numbers it.
    fileprivate var scheme: (algorithm: UInt16, name: String, hash: TPMHashAlgorithm) {
        switch value {
        case .rsassa: (0x0014, "RSASSA", hash)
        case .rsapss: (0x0016, "RSAPSS", hash)
        case .ecdsa: (0x0018, "ECDSA", hash)
        }
    }
}

extension Finding.Code {
    /// The policy names no CA of TPMs, and no attestation key.
    public static let tpmNoAuthority = Self(rawValue: "tpm.no-authority")
    /// A CA certificate of the policy does not parse.
    public static let tpmMalformedAuthority = Self(rawValue: "tpm.authority-malformed")
    /// Nothing says whose the attestation key is.
    public static let tpmUnknownKey = Self(rawValue: "tpm.key.unknown")
    /// Nothing ties the attestation key to the TPM whose endorsement certificate is there.
    public static let tpmUnbound = Self(rawValue: "tpm.key.unbound")
    /// The attestation key's certificate is of another key.
    public static let tpmCertificateKey = Self(rawValue: "tpm.key.certificate")
    /// The key is no attestation key: it may sign what its TPM did not make.
    public static let tpmKeyAttributes = Self(rawValue: "tpm.key.attributes")
    /// The key signs by another scheme than the quote is signed by.
    public static let tpmKeyScheme = Self(rawValue: "tpm.key.scheme")
}
