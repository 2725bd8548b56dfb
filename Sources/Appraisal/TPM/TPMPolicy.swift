// SPDX-License-Identifier: Apache-2.0

/// What a verifier wants of a machine that a TPM measured. There is no CA that could be built in: TPMs are made, and
/// virtual ones run, by many, so the verifier names those that it trusts, or the keys themselves. With neither,
/// nothing of the platform `vtpm` is accepted.
///
/// On Azure the paravisor's report vouches for the key that signs, and of this policy only the registers count.
public struct TPMPolicy: Hashable, Sendable {
    /// Certificates of the CAs that attestation keys, or endorsement keys, must chain to: DER, or PEM with any number.
    public var trustedCertificates: [[UInt8]] = []
    /// The TPM names of attestation keys that are trusted without a certificate: the name algorithm (2 bytes) and the
    /// digest of TPMT_PUBLIC. For those who saw the TPM activate a credential for the key, and kept its name.
    public var attestationKeyNames: Set<[UInt8]> = []
    /// Accepts an attestation key that nothing ties to a TPM, where at least an endorsement certificate stands beside
    /// it. Such certificates are public: anybody can put one beside a key of their own.
    public var acceptUnboundAttestationKeyUnsafely = false
    /// Accepts quotes that cover no bank but SHA-1's, whose collisions can be made.
    public var acceptSHA1BankUnsafely = false
    /// Registers of the SHA-256 bank that a quote must cover, 0 to 23.
    public var requiredRegisters: Set<Int> = []

    public init() {}
}
