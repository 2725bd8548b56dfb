// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import Evidence

/// A TPM 2.0 that vouches for what was booted: a machine that is measured, and not confidential.
///
/// The key that signs is one that the provider of the machine has certified, where there is one; otherwise a restricted
/// key is made, the same each time, that nobody vouches for.
public struct TPMAttester: Attester {
    private let place: TPMPlace
    private let eventLogPath: String

    /// What the firmware, the boot loaders and the kernel measure (UAPI Group, Linux TPM PCR Registry). 10 is not among
    /// them: the running kernel extends it (IMA), and its log is another.
    public static let registers = Array(0...9) + Array(11...15)
    /// As the kernel hands it out.
    static let eventLogPath = "/sys/kernel/security/tpm0/binary_bios_measurements"
    /// Endorsement certificates (TCG EK Credential Profile, section 2.2.1.4): RSA 2048, ECC P-256, ECC P-384.
    private static let endorsementCertificates: [UInt32] = [0x01C0_0002, 0x01C0_000A, 0x01C0_0016]

    public init(place: TPMPlace = TPMPlace()) { self.init(place: place, eventLogPath: Self.eventLogPath) }

    package init(place: TPMPlace, eventLogPath: String) {
        self.place = place
        self.eventLogPath = eventLogPath
    }

    public var platform: String { TPMEvidence.platform }

    public func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
        try TPMConnection.with(place) { tpm throws(AttesterError) in
            let chain = try TPMKeyChoice.choose(in: tpm)
            let quote = try TPMQuote(over: request.bytes, of: Self.registers, by: tpm)
            let log = try KernelFile.read(eventLogPath, limit: TCGEventLog.maximumSize)
            do {
                return try TPMEvidence(
                    quote: quote.message, signature: quote.signature, registers: quote.registers,
                    attestationKey: try tpm.publicKey(), attestationChain: chain,
                    endorsementChain: try Self.endorsement(in: tpm),
                    eventLogBytes: log
                ).envelope
            } catch let error as AttesterError {
                throw error
            } catch {
                throw AttesterError(.invalid, "the machine's event log, \(eventLogPath), cannot be read: \(error)")
            }
        }
    }

    private static func endorsement(in tpm: TPMConnection) throws(AttesterError) -> TPMEvidence.Chain? {
        for index in endorsementCertificates where try tpm.has(index) {
            return TPMEvidence.Chain(certificate: try TPMKeyChoice.certificate(index, in: tpm))
        }
        return nil
    }
}
