// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// What the certificate of an attestation key says, as openssl takes it (TCG, TPM 2.0 Keys for Device Identity and
/// Attestation, section 8; RFC 4043).
///
/// | extension | value |
/// |---|---|
/// | key usage, critical | digitalSignature |
/// | extended key usage | 2.23.133.8.3, tcg-kp-AIKCertificate |
/// | certificate policies | 2.23.133.11.1.3, tcg-cap-verifiedTPMRestricted: the CA saw that the key is in a TPM and restricted |
/// | subject alternative name | permanentIdentifier: SHA-256 of the endorsement certificate, assigner 2.23.133.12.1, tcg-on-ekPermIdSha256 |
struct AttestationCertificate {
    let subject: String
    let extensions: String
    /// Random, positive, of 16 bytes.
    let serial: String

    init(key: TPMPublic, endorsementCertificate: Digest256) {
        subject = "/CN=attestation key \(Hex.encode(key.name.dropFirst(2).prefix(8)))"
        let bytes = [UInt8.random(in: 0x40...0x7F)] + (1..<16).map { _ in UInt8.random(in: .min ... .max) }
        serial = "0x\(Hex.encode(bytes))"
        extensions = """
            [ak]
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = 2.23.133.8.3
            certificatePolicies = 2.23.133.11.1.3
            subjectAltName = otherName:1.3.6.1.5.5.7.8.3;SEQ:endorsement
            authorityKeyIdentifier = keyid
            [endorsement]
            value = UTF8:\(endorsementCertificate.hex)
            assigner = OID:2.23.133.12.1

            """
    }
}
