// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
package import Evidence

/// Whether a key signed a quote, and the values beside it are the ones that it covers.
package struct TPMQuoteCheck {
    let quote: TPMAttest
    let signature: TPMSignature
    /// Of the key that is said to have signed, DER; `nil` where it is of a kind that is not known.
    let publicKeyInfo: [UInt8]?
    let values: TPMPCRValues

    package init(quote: TPMAttest, signature: TPMSignature, publicKeyInfo: [UInt8]?, values: TPMPCRValues) {
        self.quote = quote
        self.signature = signature
        self.publicKeyInfo = publicKeyInfo
        self.values = values
    }

    package func findings() -> [Finding] { structureFindings() + signatureFindings() + valueFindings() }

    /// The registers of the SHA-256 bank that the quote covers, as manuals name them. Meaningless with findings.
    var registers: [(name: String, value: [UInt8])] {
        covered.filter { $0.bank == .sha256 }.map(\.register).sorted().compactMap { register in
            values[.sha256, register].map { ("PCR\(register)", $0) }
        }
    }

    /// What the quote covers, each register once.
    var covered: Set<TPMRegister> {
        Set(
            (quote.quote?.selections ?? []).flatMap { selection in
                selection.registers.map { TPMRegister(bank: selection.bank, register: $0) }
            })
    }

    /// A restricted key signs nothing that begins with the magic but what its TPM made; another type is no quote.
    private func structureFindings() -> [Finding] {
        var findings: [Finding] = []
        if !quote.isGeneratedByTPM {
            findings.append(
                Self.finding(
                    .tpmQuoteMagic, "magic", "0xff544347: made within a TPM", "0x\(String(quote.magic, radix: 16))"))
        }
        if quote.quote == nil {
            findings.append(
                Self.finding(.tpmQuoteType, "type", "0x8018, a quote", "0x\(String(quote.type, radix: 16))"))
        }
        return findings
    }

    private func signatureFindings() -> [Finding] {
        guard signature.hash != .sha1 else {
            return [
                Finding(
                    .tpmQuoteHash, subject: "signature.hash", expected: "SHA256, SHA384 or SHA512", found: "SHA1",
                    remedy: "make the attestation key anew, with a scheme that signs SHA-256")
            ]
        }
        guard let publicKeyInfo else {
            return [
                Finding(
                    .tpmQuoteSignature, subject: "ak_public", expected: "RSA, P-256 or P-384",
                    found: "a key of another kind", remedy: "make the attestation key anew, of one of these kinds")
            ]
        }
        guard !signature.isValid(over: quote.bytes, by: publicKeyInfo) else { return [] }
        return [
            Self.finding(
                .tpmQuoteSignature, "signature", "a signature of the quote by the attestation key",
                "one that does not verify")
        ]
    }

    private func valueFindings() -> [Finding] {
        guard let info = quote.quote else { return [] }
        let given = TPMHashAlgorithm.allCases.flatMap { bank in
            values.registers(of: bank).map { TPMRegister(bank: bank, register: $0) }
        }
        let more = Set(given).subtracting(covered)
        var findings: [Finding] = []
        if !more.isEmpty {
            findings.append(
                Self.finding(
                    .tpmQuoteUncovered, "pcrs", "only values that the quote covers",
                    "\(TPMRegister.text(more)), which nothing signs"))
        }
        let missing = covered.subtracting(given)
        guard missing.isEmpty else {
            findings.append(
                Self.finding(
                    .tpmQuoteValues, "pcrs", "a value for each register that the quote covers",
                    "none for \(TPMRegister.text(missing))"))
            return findings
        }
        if let digest = info.digest(of: values, by: signature.hash), digest != info.pcrDigest {
            findings.append(
                Self.finding(
                    .tpmQuoteDigest, "pcrDigest", "\(Hex.encode(digest)), the digest of the values",
                    Hex.encode(info.pcrDigest)))
        }
        return findings
    }

    private static func finding(
        _ code: Finding.Code, _ subject: String, _ expected: String, _ found: String
    ) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "do not trust the evidence: the quote was changed, or is not this key's")
    }
}

/// A register of a bank.
struct TPMRegister: Hashable {
    let bank: TPMHashAlgorithm
    let register: Int

    /// "SHA256 PCR 0, 7; SHA384 PCR 4".
    static func text(_ registers: Set<TPMRegister>) -> String {
        TPMHashAlgorithm.allCases.compactMap { bank in
            let numbers = registers.filter { $0.bank == bank }.map(\.register).sorted()
            return numbers.isEmpty ? nil : "\(bank) PCR \(numbers.map(String.init).joined(separator: ", "))"
        }.joined(separator: "; ")
    }
}

extension Finding.Code {
    /// What was signed was not made within a TPM.
    public static let tpmQuoteMagic = Self(rawValue: "tpm.quote.magic")
    /// What was signed is no quote.
    public static let tpmQuoteType = Self(rawValue: "tpm.quote.type")
    /// The signature is over a hash for which collisions can be made.
    public static let tpmQuoteHash = Self(rawValue: "tpm.quote.hash")
    /// The quote's signature does not verify.
    public static let tpmQuoteSignature = Self(rawValue: "tpm.quote.signature")
    /// A register that the quote covers has no value.
    public static let tpmQuoteValues = Self(rawValue: "tpm.quote.values")
    /// A register has a value that the quote does not cover.
    public static let tpmQuoteUncovered = Self(rawValue: "tpm.quote.uncovered")
    /// The values are not those that the quote covers.
    public static let tpmQuoteDigest = Self(rawValue: "tpm.quote.digest")
}
