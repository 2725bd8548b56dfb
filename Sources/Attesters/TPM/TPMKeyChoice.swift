// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Which of a TPM's keys makes quotes.
enum TPMKeyChoice {
    /// A key that the provider of a virtual machine has put into its TPM, with a certificate.
    private enum Provided {
        /// A persistent key.
        case persistent(UInt32, certificate: UInt32)
        /// A primary key of the endorsement hierarchy, whose template is at an NV index.
        case template(UInt32, certificate: UInt32)
    }

    /// Google Compute Engine (RSA, then ECC), and Azure's machines with trusted launch.
    private static let provided: [Provided] = [
        .template(0x01C1_0001, certificate: 0x01C1_0000),
        .template(0x01C1_0003, certificate: 0x01C1_0002),
        .persistent(0x8100_0003, certificate: 0x01C1_01D0),
    ]

    /// Has the TPM use the first of them that it has, or else one of our own. Returns the key's certificate.
    static func choose(in tpm: TPMConnection) throws(AttesterError) -> TPMEvidence.Chain? {
        for key in provided {
            switch key {
            case .persistent(let handle, let index):
                guard try tpm.has(handle), try tpm.has(index) else { continue }
                try tpm.use(key: handle)
                return TPMEvidence.Chain(certificate: try certificate(index, in: tpm))
            case .template(let template, let index):
                guard try tpm.has(template), try tpm.has(index) else { continue }
                try tpm.makeKey(template: try tpm.read(index: template))
                return TPMEvidence.Chain(certificate: try certificate(index, in: tpm))
            }
        }
        try tpm.makeKey(template: ownTemplate)
        return nil
    }

    /// A certificate at an NV index, without what fills the index after it.
    static func certificate(_ index: UInt32, in tpm: TPMConnection) throws(AttesterError) -> [UInt8] {
        let bytes = try tpm.read(index: index)
        do {
            return try CertificateBytes.der(bytes)
        } catch {
            throw AttesterError(
                .invalid, "the TPM's NV index 0x\(String(index, radix: 16)) holds no certificate: \(error)")
        }
    }

    /// A key for quotes and nothing else: ECC P-256, ECDSA with SHA-256, restricted (TPM 2.0 Library part 2,
    /// TPMT_PUBLIC).
    static let ownTemplate: [UInt8] = {
        let attributes: TPMObjectAttributes = [.attestationKey, .userWithAuth]
        let noDictionaryAttackProtection: UInt32 = 1 << 10
        let (ecc, sha256, null, ecdsa, p256): (UInt16, UInt16, UInt16, UInt16, UInt16) = (
            0x0023, TPMHashAlgorithm.sha256.rawValue, 0x0010, 0x0018, 0x0003
        )
        var writer = ByteWriter()
        writer.bigEndian(ecc)
        writer.bigEndian(sha256)
        writer.bigEndian(attributes.rawValue | noDictionaryAttackProtection)
        writer.bigEndian(UInt16(0))  // authPolicy
        writer.bigEndian(null)  // symmetric
        writer.bigEndian(ecdsa)
        writer.bigEndian(sha256)
        writer.bigEndian(p256)
        writer.bigEndian(null)  // kdf
        writer.zeros(4)  // unique: x and y, without bytes
        return writer.bytes
    }()
}
