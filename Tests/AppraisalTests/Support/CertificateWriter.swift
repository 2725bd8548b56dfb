// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Crypto
import CryptoExtras

/// A key that tests sign certificates, lists and reports with.
enum TestKey: Sendable {
    case rsaPSS(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)

    /// `subjectPublicKeyInfo`, DER.
    var publicKeyInfo: [UInt8] {
        switch self {
        case .rsaPSS(let key): Array(key.publicKey.derRepresentation)
        case .p256(let key): Array(key.publicKey.derRepresentation)
        case .p384(let key): Array(key.publicKey.derRepresentation)
        }
    }

    /// AlgorithmIdentifier, DER.
    var algorithm: [UInt8] {
        switch self {
        case .rsaPSS: Self.pssWithSHA384
        case .p256: DERWriter.sequence(DERWriter.identifier("1.2.840.10045.4.3.2"))
        case .p384: DERWriter.sequence(DERWriter.identifier("1.2.840.10045.4.3.3"))
        }
    }

    func sign(_ message: [UInt8]) throws -> [UInt8] {
        switch self {
        case .rsaPSS(let key):
            Array(try key.signature(for: SHA384.hash(data: message), padding: .PSS).rawRepresentation)
        case .p256(let key): Array(try key.signature(for: SHA256.hash(data: message)).derRepresentation)
        case .p384(let key): Array(try key.signature(for: SHA384.hash(data: message)).derRepresentation)
        }
    }

    private static let pssWithSHA384: [UInt8] = {
        let sha384 = DERWriter.sequence(DERWriter.identifier("2.16.840.1.101.3.4.2.2"), DERWriter.null)
        return DERWriter.sequence(
            DERWriter.identifier("1.2.840.113549.1.1.10"),
            DERWriter.sequence(
                DERWriter.tagged(0, sha384),
                DERWriter.tagged(1, DERWriter.sequence(DERWriter.identifier("1.2.840.113549.1.1.8"), sha384)),
                DERWriter.tagged(2, DERWriter.integer(48))))
    }()
}

/// A certificate to be written: edit a field, then sign it.
struct TestCertificate {
    struct Extension {
        var id: String
        var isCritical = false
        var value: [UInt8]

        var der: [UInt8] {
            DERWriter.sequence(
                DERWriter.identifier(id), isCritical ? DERWriter.boolean(true) : [], DERWriter.octets(value))
        }
    }

    /// Content octets.
    var serial: [UInt8] = [0]
    var version: UInt64 = 2
    /// AlgorithmIdentifier within; that of the signing key if `nil`.
    var algorithm: [UInt8]?
    var issuer = "issuer"
    var subject = "subject"
    var notBefore = "20200101000000"
    var notAfter = "20491231235959"
    var publicKeyInfo: [UInt8] = []
    var extensions: [Extension] = []
    /// What follows the last field of the body, and of the certificate.
    var bodyTail: [UInt8] = []
    var tail: [UInt8] = []

    subscript(id: String) -> [UInt8]? {
        get { extensions.first { $0.id == id }?.value }
        set {
            let place = extensions.firstIndex { $0.id == id }
            if let place { extensions.remove(at: place) }
            guard let newValue else { return }
            extensions.insert(Extension(id: id, value: newValue), at: place ?? extensions.endIndex)
        }
    }

    var body: (_ algorithm: [UInt8]) -> [UInt8] {
        { signing in
            DERWriter.sequence(
                DERWriter.tagged(0, DERWriter.integer(version)), DERWriter.integer(octets: serial),
                algorithm ?? signing, Self.name(issuer),
                DERWriter.sequence(DERWriter.time(notBefore), DERWriter.time(notAfter)), Self.name(subject),
                publicKeyInfo,
                extensions.isEmpty ? [] : DERWriter.tagged(3, DERWriter.sequence(of: extensions.map(\.der))), bodyTail)
        }
    }

    func signed(by key: TestKey) throws -> [UInt8] {
        let body = body(key.algorithm)
        return DERWriter.sequence(body, key.algorithm, DERWriter.bits(try key.sign(body)), tail)
    }

    static func name(_ common: String) -> [UInt8] {
        DERWriter.sequence(
            DERWriter.set(DERWriter.sequence(DERWriter.identifier("2.5.4.11"), DERWriter.utf8("Engineering"))),
            DERWriter.set(DERWriter.sequence(DERWriter.identifier("2.5.4.3"), DERWriter.utf8(common))))
    }
}

/// A revocation list to be written: edit a field, then sign it.
struct TestRevocationList {
    var issuer = "issuer"
    var thisUpdate = "20200101000000"
    var nextUpdate: String? = "20491231235959"
    /// Content octets of serial numbers.
    var revoked: [[UInt8]] = []
    var entryExtensions: [TestCertificate.Extension] = []
    var extensions = [TestCertificate.Extension(id: "2.5.29.20", value: DERWriter.integer(7))]
    var version: UInt64 = 1

    func body(_ algorithm: [UInt8]) -> [UInt8] {
        let entries = revoked.map { serial in
            DERWriter.sequence(
                DERWriter.integer(octets: serial), DERWriter.time("20210101000000"),
                entryExtensions.isEmpty ? [] : DERWriter.sequence(of: entryExtensions.map(\.der)))
        }
        return DERWriter.sequence(
            DERWriter.integer(version), algorithm, TestCertificate.name(issuer), DERWriter.time(thisUpdate),
            nextUpdate.map { DERWriter.time($0) } ?? [], entries.isEmpty ? [] : DERWriter.sequence(of: entries),
            extensions.isEmpty ? [] : DERWriter.tagged(0, DERWriter.sequence(of: extensions.map(\.der))))
    }

    func signed(by key: TestKey) throws -> [UInt8] {
        let body = body(key.algorithm)
        return DERWriter.sequence(body, key.algorithm, DERWriter.bits(try key.sign(body)))
    }
}

/// Textual encoding (RFC 7468), lines of 64 characters.
func pem(_ der: [UInt8], _ label: String = "CERTIFICATE") -> [UInt8] {
    let text = Array(Base64.encode(der).utf8)
    let lines = stride(from: 0, to: text.count, by: 64).map {
        String(decoding: text[$0..<min($0 + 64, text.count)], as: UTF8.self)
    }
    return Array("-----BEGIN \(label)-----\n\(lines.joined(separator: "\n"))\n-----END \(label)-----\n".utf8)
}
