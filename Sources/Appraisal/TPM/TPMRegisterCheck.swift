// SPDX-License-Identifier: Apache-2.0
internal import Evidence

/// Step 4 for what a TPM quotes: whether it covers what the verifier wants covered.
struct TPMRegisterCheck {
    let covered: Set<TPMRegister>
    let policy: TPMPolicy

    func findings() -> [Finding] {
        var findings: [Finding] = []
        let banks = Set(covered.map(\.bank))
        if banks.isEmpty || (banks == [.sha1] && !policy.acceptSHA1BankUnsafely) {
            findings.append(
                Finding(
                    .tpmBank, subject: "pcrSelect", expected: "registers of the bank SHA256",
                    found: banks.isEmpty ? "no register" : "SHA1 only, for which collisions can be made",
                    remedy: "quote the registers of the SHA-256 bank"))
        }
        let wanted = Set(policy.requiredRegisters.map { TPMRegister(bank: .sha256, register: $0) })
        let missing = wanted.subtracting(covered)
        if !missing.isEmpty {
            findings.append(
                Finding(
                    .tpmRegisters, subject: "pcrSelect", expected: TPMRegister.text(wanted),
                    found: "not \(TPMRegister.text(missing))",
                    remedy: "quote these registers too, or do not require them in the policy"))
        }
        return findings
    }
}

extension Finding.Code {
    /// The quote covers no register of a bank that is sound.
    public static let tpmBank = Self(rawValue: "tpm.quote.bank")
    /// The quote does not cover registers that the policy requires.
    public static let tpmRegisters = Self(rawValue: "tpm.quote.registers")
}
