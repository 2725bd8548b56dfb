// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto

/// The key that everything of Intel's must end at. Its name proves nothing: Intel's own test root bears it too.
package struct IntelRoot: Hashable, Sendable {
    /// `subjectPublicKeyInfo`, DER.
    package let publicKeyInfo: [UInt8]
    /// SHA-256 of the published certificate, whose signature by its own key need not be checked again; another
    /// certificate for the key must bear one. Empty where none is known.
    package let certificateDigest: [UInt8]

    package init(publicKeyInfo: [UInt8], certificateDigest: [UInt8] = []) {
        self.publicKeyInfo = publicKeyInfo
        self.certificateDigest = certificateDigest
    }

    /// The Intel SGX Root CA's, which roots TDX as well.
    ///
    /// Its source is `https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer`,
    /// good until 2049. The certificate was compared byte for byte across the independent copies of it that verifiers
    /// publish (google/go-tdx-guest, Phala-Network/dcap-qvl, automata-network/automata-dcap-attestation). SHA-256 of
    /// the key is a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e.
    package static let intel = IntelRoot(
        publicKeyInfo: bytes(
            "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
                + "0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5"
                + "67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394"),
        certificateDigest: bytes("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"))

    /// Whether a certificate is the root's own.
    func isOwn(_ certificate: Certificate) -> Bool {
        guard certificate.publicKeyInfo == publicKeyInfo, certificate.subject == certificate.issuer,
            certificate.extensions.isAuthority == true, certificate.extensions.maySignCertificates
        else { return false }
        return SHA256.hash(data: certificate.der).elementsEqual(certificateDigest)
            || P256Key(publicKeyInfo: publicKeyInfo)?.signed(certificate) == true
    }

    private static func bytes(_ digits: String) -> [UInt8] { (try? Hex.decode(digits)) ?? [] }
}
