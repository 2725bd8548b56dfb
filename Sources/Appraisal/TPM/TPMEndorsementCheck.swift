// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Whether the certificates of a TPM's two keys speak of one TPM.
///
/// An attestation key's certificate can name the endorsement certificate of the TPM that the key is in. Its CA says so,
/// and nobody else: it saw that TPM decrypt a challenge for the key, which leaves nothing to be checked later. What can
/// be checked is that the endorsement certificate in the evidence is the one that was meant, and whose it is.
struct TPMEndorsementCheck {
    let attestationCertificate: Certificate
    let endorsementChain: TPMEvidence.Chain?
    /// Of the named CAs that certified the endorsement key, if any of them did, and what is wrong on the way there.
    let path: (TPMEvidence.Chain) -> (authority: String?, findings: [Finding])

    private static let step = "TPM"

    /// Step 2. Returns the digest of the endorsement certificate that is tied to the key, where one is.
    func record(in steps: inout ReportRecorder) -> Digest256? {
        let named: [Digest256]
        do {
            named = try attestationCertificate.extensions.endorsementDigests()
        } catch {
            steps.fail(2, Self.step, Self.malformed(error))
            return nil
        }
        guard let endorsementChain else {
            guard let digest = named.first else { return nil }
            steps.leaveOut(
                2, Self.step,
                "ak_certificate is of the TPM with the endorsement certificate \(digest), which is not in the evidence")
            return nil
        }
        guard !named.isEmpty else {
            steps.leaveOut(
                2, Self.step,
                "ak_certificate names no endorsement certificate, so the one beside it says nothing of this key")
            return nil
        }
        return compare(named, endorsementChain, in: &steps)
    }

    private func compare(
        _ named: [Digest256], _ chain: TPMEvidence.Chain, in steps: inout ReportRecorder
    ) -> Digest256? {
        let digest = Digest256(of: chain.certificate)
        if let other = named.first(where: { $0 != digest }) {
            steps.fail(2, Self.step, Self.anotherTPM(named: other, found: digest))
            return nil
        }
        let (authority, findings) = path(chain)
        let issuer = authority.map { "certified by '\($0)', which the policy names" }
        // The attestation key's CA vouches for the certificate by its digest, whoever made the TPM.
        let faults = findings.filter { $0.code != .tpmPath }
        steps.decide(
            2, Self.step, faults,
            passed: "the key is in the TPM with the endorsement certificate \(digest), as the key's CA says; it is "
                + (issuer ?? "by a maker whom the policy does not name"))
        return faults.isEmpty ? digest : nil
    }

    private static func anotherTPM(named: Digest256, found: Digest256) -> Finding {
        Finding(
            .tpmEndorsement, subject: "ek_certificate",
            expected: "\(named), the endorsement certificate that ak_certificate names", found: found.hex,
            remedy: "do not trust the evidence: its two certificates are of different TPMs")
    }

    private static func malformed(_ error: MalformedBytes) -> Finding {
        Finding(
            .malformedCertificate, subject: "ak_certificate", expected: "alternative names that parse completely",
            found: "\(error)", remedy: "have the certificate issued anew")
    }
}

extension Finding.Code {
    /// The certificate of the attestation key names another TPM's endorsement certificate than the one beside it.
    public static let tpmEndorsement = Self(rawValue: "tpm.key.endorsement")
}
