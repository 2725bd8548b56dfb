// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto
internal import Evidence

/// Appraises the `software` platform: the signature is checked, and the machine cannot be.
struct SoftwareAppraiser {
    let policy: AppraisalPolicy

    func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult {
        do {
            return appraise(try SoftwareEvidence(envelope))
        } catch {
            return AppraisalResult(malformed: error)
        }
    }

    private func appraise(_ evidence: SoftwareEvidence) -> AppraisalResult {
        let key = Hex.encode(evidence.publicKey)
        var steps = ReportRecorder()
        steps.pass(1, EvidenceStep.format, "evidence.json is complete 'software' evidence, with no byte too many")
        steps.decide(
            2, EvidenceStep.signature, signatureFindings(evidence) + acceptanceFindings(),
            passed: "Ed25519 signature by the key \(key); no hardware vouches for it")
        steps.leaveOut(3, EvidenceStep.measurement, "not applicable: 'software' measures no image")
        steps.leaveOut(4, EvidenceStep.platformPolicy, "not applicable: 'software' has no firmware and no debug mode")
        let appraised = AppraisedEvidence(
            platform: SoftwareEvidence.platform, binding: SignedBinding(evidence.reportData),
            proves: ["nothing in the bundle was changed since the holder of the key \(key) signed it"],
            doesNotProve: [
                "anything about the machine that built it: 'software' evidence has no hardware behind it",
                "who holds the key: compare it with one that you know",
            ])
        return AppraisalResult(steps, evidence: appraised)
    }

    private func signatureFindings(_ evidence: SoftwareEvidence) -> [Finding] {
        let key = try? Curve25519.Signing.PublicKey(rawRepresentation: evidence.publicKey)
        let message = SoftwareEvidence.signedMessage(evidence.reportData)
        guard key?.isValidSignature(evidence.signature, for: message) != true else { return [] }
        return [
            Finding(
                .badSoftwareSignature, subject: "signature", expected: "an Ed25519 signature by public_key",
                found: "one that does not verify", remedy: "do not trust the bundle: it was changed after signing")
        ]
    }

    private func acceptanceFindings() -> [Finding] {
        guard !policy.acceptSoftwareUnsafely else { return [] }
        return [
            Finding(
                .softwareNotAccepted, subject: "platform", expected: "a platform with a hardware root of trust",
                found: "'software', which proves nothing about the machine",
                remedy: "accept it by name with --allow-software, or build on confidential hardware")
        ]
    }
}

extension Finding.Code {
    /// The Ed25519 signature does not verify.
    public static let badSoftwareSignature = Self(rawValue: "software.signature")
    /// The policy does not accept the `software` platform.
    public static let softwareNotAccepted = Self(rawValue: "software.not-accepted")
}
