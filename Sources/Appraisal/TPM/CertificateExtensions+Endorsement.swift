// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
internal import SwiftASN1

extension CertificateExtensions {
    static let alternativeName = "2.5.29.17"

    /// The SHA-256 digests of the endorsement certificates that an attestation key's certificate names: subject
    /// alternative names of the form permanentIdentifier (RFC 4043, section 2) whose assigner is tcg-on-ekPermIdSha256
    /// (TCG, TPM 2.0 Keys for Device Identity and Attestation, section 8). None where there is no such name.
    ///
    /// Throws where the extension is not the DER that it should be, or a digest is not one.
    package func endorsementDigests() throws(MalformedBytes) -> [Digest256] {
        try self[Self.alternativeName].map(Self.endorsementDigests) ?? []
    }

    /// As ``endorsementDigests()``, of the extension's content.
    package static func endorsementDigests(inNames bytes: [UInt8]) throws(MalformedBytes) -> [Digest256] {
        try DERReading.read("subjectAltName", bytes, maximumSize: maximumNames) { root in
            try DER.sequence(root, identifier: .sequence) { names in
                var digests: [Digest256] = []
                while let name = names.next() {
                    if let digest = try EndorsementName.digest(name) { digests.append(digest) }
                }
                return digests
            }
        }
    }

    /// Bytes of the extension; more are refused.
    private static let maximumNames = 4096
}

/// One GeneralName that may name an endorsement certificate (RFC 5280, section 4.2.1.6, OtherName).
private enum EndorsementName {
    private static let permanentIdentifier = "1.3.6.1.5.5.7.8.3"
    private static let assigner = "2.23.133.12.1"
    private static let otherName = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)

    /// `nil` for a name of another form, or by another assigner.
    static func digest(_ node: ASN1Node) throws -> Digest256? {
        guard node.identifier == otherName else { return nil }
        return try DER.sequence(node, identifier: otherName) { nodes in
            let form = try ASN1ObjectIdentifier(derEncoded: &nodes).description
            let value = try DERReading.next(&nodes)
            guard form == permanentIdentifier else { return nil }
            return try DER.sequence(value, identifier: otherName) { inner in
                try identifier(try DERReading.next(&inner))
            }
        }
    }

    /// Both parts may be missing.
    private static func identifier(_ node: ASN1Node) throws -> Digest256? {
        try DER.sequence(node, identifier: .sequence) { nodes in
            var text: String?
            var assigner: String?
            while let part = nodes.next() {
                if part.identifier == .utf8String, text == nil, assigner == nil {
                    text = String(try ASN1UTF8String(derEncoded: part))
                } else if assigner == nil {
                    assigner = try ASN1ObjectIdentifier(derEncoded: part).description
                } else {
                    throw DERReading.Refused("a permanent identifier of more than two parts")
                }
            }
            guard assigner == self.assigner else { return nil }
            return try Digest256(rawBytes: try Hex.decode(text ?? ""))
        }
    }
}
