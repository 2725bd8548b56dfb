// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto

/// Writes DER, for certificates and lists that tests make.
enum TDXMadeDER {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        switch content.count {
        case ..<0x80: [tag, UInt8(content.count)] + content
        case ..<0x100: [tag, 0x81, UInt8(content.count)] + content
        default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap(\.self)) }

    /// By content octets that are positive as they stand.
    static func integer(_ content: [UInt8]) -> [UInt8] { element(0x02, content) }

    static func integer(_ value: Int) -> [UInt8] {
        let digits =
            value < 0x80
            ? [UInt8(value)] : value < 0x100 ? [0, UInt8(value)] : [UInt8(value >> 8), UInt8(value & 0xFF)]
        return element(0x02, digits)
    }

    static func octets(_ content: [UInt8]) -> [UInt8] { element(0x04, content) }
    static func bits(_ content: [UInt8]) -> [UInt8] { element(0x03, [0] + content) }
    static func identifier(_ content: [UInt8]) -> [UInt8] { element(0x06, content) }

    static func name(_ commonName: String) -> [UInt8] {
        sequence(element(0x31, sequence(identifier([0x55, 0x04, 0x03]), element(0x0C, Array(commonName.utf8)))))
    }

    static func time(_ seconds: Int64) -> [UInt8] {
        let text = CivilTime(secondsSince1970: seconds).rfc3339.filter { !"-:T".contains($0) }
        return element(0x18, Array(text.utf8))
    }

    static func fileExtension(_ id: [UInt8], critical: Bool, _ value: [UInt8]) -> [UInt8] {
        sequence(identifier(id), critical ? element(0x01, [0xFF]) : [], octets(value))
    }

    static func pem(_ blocks: [[UInt8]], label: String = "CERTIFICATE") -> [UInt8] {
        Array(
            blocks.map { "-----BEGIN \(label)-----\n\(Base64.encode($0))\n-----END \(label)-----\n" }.joined().utf8)
    }

    static let ecdsaWithSHA256 = sequence(identifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]))

    /// What is signed, the algorithm, and the signature.
    static func signed(_ body: [UInt8], by key: P256.Signing.PrivateKey) -> [UInt8] {
        let signature = (try? key.signature(for: SHA256.hash(data: body)).derRepresentation).map(Array.init) ?? []
        return sequence(body, ecdsaWithSHA256, bits(signature))
    }
}

/// A certificate to be made.
struct TDXMadeCertificate {
    var subject: String
    var issuer: String
    var key: P256.Signing.PrivateKey
    var signer: P256.Signing.PrivateKey
    var serial: [UInt8]
    var notBefore: Int64
    var notAfter: Int64
    /// `nil`: no basic constraints.
    var isAuthority: Bool?
    /// The first byte of key usage; `nil`: none.
    var usage: UInt8?
    /// Further extensions, DER.
    var extensions: [[UInt8]] = []

    var der: [UInt8] {
        typealias DER = TDXMadeDER
        var all = extensions
        if let isAuthority {
            let content = DER.sequence(isAuthority ? DER.element(0x01, [0xFF]) : [])
            all.append(DER.fileExtension([0x55, 0x1D, 0x13], critical: true, content))
        }
        if let usage {
            all.append(
                DER.fileExtension(
                    [0x55, 0x1D, 0x0F], critical: true, DER.element(0x03, [UInt8(usage.trailingZeroBitCount), usage])))
        }
        let body = DER.sequence(
            DER.element(0xA0, DER.integer(2)), DER.integer(serial), DER.ecdsaWithSHA256, DER.name(issuer),
            DER.sequence(DER.time(notBefore), DER.time(notAfter)), DER.name(subject),
            Array(key.publicKey.derRepresentation), DER.element(0xA3, DER.sequence(all.flatMap(\.self))))
        return DER.signed(body, by: signer)
    }
}

/// A revocation list to be made.
struct TDXMadeList {
    var issuer: String
    var signer: P256.Signing.PrivateKey
    var thisUpdate: Int64
    var nextUpdate: Int64
    var revoked: [[UInt8]] = []

    var der: [UInt8] {
        typealias DER = TDXMadeDER
        let entries = revoked.flatMap { DER.sequence(DER.integer($0), DER.time(thisUpdate)) }
        return DER.signed(
            DER.sequence(
                DER.integer(1), DER.ecdsaWithSHA256, DER.name(issuer), DER.time(thisUpdate), DER.time(nextUpdate),
                entries.isEmpty ? [] : DER.element(0x30, entries)),
            by: signer)
    }
}
