// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// A quote and the values that it is over, which agree.
struct TPMQuote {
    let message: TPMAttest
    let signature: TPMSignature
    let registers: TPMPCRValues

    /// Quotes that are made anew where a register was extended in between.
    private static let attempts = 3

    /// Registers and quote are two commands, between which a register can change: then both are asked for anew.
    init(over data: [UInt8], of registers: [Int], by tpm: TPMConnection) throws(AttesterError) {
        for _ in 0..<Self.attempts {
            let values = try tpm.values(of: registers)
            let (message, signature) = try tpm.quote(data, of: registers)
            guard message.isGeneratedByTPM, let quote = message.quote else {
                throw AttesterError(.invalid, "the TPM answered with something that is no quote")
            }
            guard message.extraData == data else {
                throw AttesterError(
                    .invalid,
                    "the TPM signed other bytes than it was asked to: expected \(Hex.encode(data)), "
                        + "found \(Hex.encode(message.extraData))")
            }
            guard quote.digest(of: values, by: signature.hash) == quote.pcrDigest else { continue }
            self.message = message
            self.signature = signature
            self.registers = values
            return
        }
        throw AttesterError(.conflict, "the TPM's registers changed during each of \(Self.attempts) quotes")
    }
}
