// SPDX-License-Identifier: Apache-2.0
internal import Crypto
internal import CryptoExtras
package import Evidence

/// A key of AMD's that signs others: the root of a product line (ARK), or what signs the keys of chips (ASK) or of
/// cloud providers (ASVK).
package struct AMDAuthority: Sendable {
    package enum Role: String, CaseIterable, Sendable {
        case ark, ask, asvk
    }

    package let product: SNPProduct
    package let role: Role
    /// The subject's common name.
    package let name: String
    /// The content octets of the certificate's serial number.
    package let serial: [UInt8]
    package let validity: Validity
    /// SHA-256 of the certificate, DER, lower-case hexadecimal.
    package let certificateDigest: String
    /// `subjectPublicKeyInfo`, DER.
    package let publicKeyInfo: [UInt8]
    /// Parsed once; `nil` where the bytes above hold no RSA key, which then signed nothing.
    private let publicKey: _RSA.Signing.PublicKey?

    package init(
        product: SNPProduct, role: Role, name: String, serial: [UInt8], validity: Validity, certificateDigest: String,
        publicKeyInfo: [UInt8]
    ) {
        self.product = product
        self.role = role
        self.name = name
        self.serial = serial
        self.validity = validity
        self.certificateDigest = certificateDigest
        self.publicKeyInfo = publicKeyInfo
        publicKey = try? _RSA.Signing.PublicKey(derRepresentation: publicKeyInfo)
    }

    /// Whether the authority signed `message` as AMD's authorities sign everything: RSA-PSS with SHA-384.
    package func hasSigned(_ message: [UInt8], _ signature: [UInt8], _ algorithm: SignatureAlgorithm) -> Bool {
        guard algorithm == .rsaPSSWithSHA384, let publicKey else { return false }
        return publicKey.isValidSignature(
            .init(rawRepresentation: signature), for: SHA384.hash(data: message), padding: .PSS)
    }
}

/// The keys that appraisal trusts for SEV-SNP.
package struct AMDAuthorities: Sendable {
    package let all: [AMDAuthority]

    package init(_ all: [AMDAuthority]) { self.all = all }

    package func authority(_ product: SNPProduct, _ role: AMDAuthority.Role) -> AMDAuthority? {
        all.first { $0.product == product && $0.role == role }
    }
}
