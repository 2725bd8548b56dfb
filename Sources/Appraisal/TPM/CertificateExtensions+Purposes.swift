// SPDX-License-Identifier: Apache-2.0
internal import SwiftASN1

extension CertificateExtensions {
    static let extendedKeyUsage = "2.5.29.37"
    private static let anyPurpose = "2.5.29.37.0"

    /// Extended key usages, as dotted numbers; none where the extension is missing or malformed.
    var purposes: [String] {
        guard let bytes = self[Self.extendedKeyUsage], let node = try? DER.parse(bytes) else { return [] }
        let purposes = try? DER.sequence(node, identifier: .sequence) { nodes in
            var purposes: [String] = []
            while let node = nodes.next() { purposes.append(try ASN1ObjectIdentifier(derEncoded: node).description) }
            return purposes
        }
        return purposes ?? []
    }

    /// Whether extended key usage lets the key, and those below it, serve a purpose; where the extension is missing, it
    /// is not limited (RFC 5280, section 4.2.1.12), and clouds leave it out.
    func isFor(_ purpose: TPMCertificatePath.Purpose) -> Bool {
        self[Self.extendedKeyUsage] == nil || purposes.contains(purpose.rawValue) || purposes.contains(Self.anyPurpose)
    }
}
