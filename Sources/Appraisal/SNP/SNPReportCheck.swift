// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto
internal import Evidence

/// Whether a report was signed by the key of a certificate, and says of the chip what the certificate says.
struct SNPReportCheck {
    let report: SNPReport
    let endorsement: SNPEndorsement

    func findings() -> [Finding] {
        signatureFindings() + disagreements
    }

    var isSignatureValid: Bool {
        guard report.signatureAlgorithm == 1,
            let signature = try? P384.Signing.ECDSASignature(rawRepresentation: report.signature)
        else { return false }
        return endorsement.publicKey.isValidSignature(signature, for: SHA384.hash(data: report.signedBytes))
    }

    /// What report and certificate say differently.
    var disagreements: [Finding] { keyFindings() + productFindings() + chipFindings() + tcbFindings() }

    private func signatureFindings() -> [Finding] {
        guard report.signatureAlgorithm == 1 else {
            return [
                finding(
                    .snpSignature, "SIGNATURE_ALGO", "1, ECDSA P-384 with SHA-384", "\(report.signatureAlgorithm)")
            ]
        }
        guard !isSignatureValid else { return [] }
        return [
            finding(
                .snpSignature, "SIGNATURE", "an ECDSA P-384 signature by the certificate's key",
                "one that does not verify")
        ]
    }

    /// MASK_CHIP_KEY takes the chip's own key from guests: firmware that says so signs by a VLEK, or not at all.
    private func keyFindings() -> [Finding] {
        var findings: [Finding] = []
        if report.flags.signingKey != endorsement.kind {
            findings.append(
                finding(
                    .snpKeyKind, "SIGNING_KEY", "'\(endorsement.kind)', as the certificate says",
                    report.flags.signingKey == .none
                        ? "'none': the report is not signed" : "'\(report.flags.signingKey)'"))
        }
        if report.flags.masksChipKey, report.flags.signingKey == .vcek {
            findings.append(
                finding(.snpChipKeyMasked, "MASK_CHIP_KEY", "0 in a report that a VCEK signed", "1"))
        }
        return findings
    }

    /// A report of version 2 does not name its processor; then the certificate, whose key signed it, does.
    private func productFindings() -> [Finding] {
        guard let cpuid = report.cpuid, cpuid.product != endorsement.product else { return [] }
        return [
            finding(
                .snpProduct, "CPUID", "a processor of \(endorsement.product.rawValue), as the certificate says",
                cpuid.product?.rawValue ?? "family \(cpuid.family), model \(cpuid.model), which is not known")
        ]
    }

    /// A VLEK is of no chip; a VCEK's chip is the report's, unless the host masks it, which the policy decides on.
    private func chipFindings() -> [Finding] {
        guard let chipID = endorsement.chipID, !report.masksChipID else { return [] }
        let padded = chipID + [UInt8](repeating: 0, count: max(0, 64 - chipID.count))
        guard report.chipID != padded else { return [] }
        return [
            finding(
                .snpChip, "CHIP_ID", "\(Hex.encode(chipID)), as the VCEK certificate says", Hex.encode(report.chipID))
        ]
    }

    private func tcbFindings() -> [Finding] {
        let reported = report.reportedTCB.parts(of: endorsement.product)
        guard reported != endorsement.tcb else { return [] }
        return [
            finding(
                .snpCertificateTCB, "REPORTED_TCB", "\(endorsement.tcb.text), as the certificate says", reported.text)
        ]
    }

    private func finding(_ code: Finding.Code, _ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "do not trust the evidence: report and certificate do not belong together, or one was changed")
    }
}

extension Finding.Code {
    /// The report's signature does not verify.
    public static let snpSignature = Self(rawValue: "snp.signature")
    /// The report was signed by a key of another kind than the certificate's, or not at all.
    public static let snpKeyKind = Self(rawValue: "snp.certificate.key-kind")
    /// The report says that its chip signs nothing, and that the chip signed it.
    public static let snpChipKeyMasked = Self(rawValue: "snp.chip-key.masked")
    /// The certificate is of another product line.
    public static let snpProduct = Self(rawValue: "snp.certificate.product")
    /// The certificate is of another chip.
    public static let snpChip = Self(rawValue: "snp.certificate.chip-id")
    /// The certificate is of other firmware.
    public static let snpCertificateTCB = Self(rawValue: "snp.certificate.tcb")
}
