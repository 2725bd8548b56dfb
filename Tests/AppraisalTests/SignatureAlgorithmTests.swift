// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Testing

@Suite struct SignatureAlgorithmTests {
    /// An algorithm in a certificate, and what it is read as.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let der: [UInt8]
        let algorithm: SignatureAlgorithm
    }

    private static func pss(
        _ hash: String = "2.16.840.1.101.3.4.2.2", mask: String = "2.16.840.1.101.3.4.2.2", salt: UInt64? = 48,
        parameters: [UInt8] = DERWriter.null, trailer: UInt64? = nil
    ) -> [UInt8] {
        DERWriter.sequence(
            DERWriter.identifier("1.2.840.113549.1.1.10"),
            DERWriter.sequence(
                DERWriter.tagged(0, DERWriter.sequence(DERWriter.identifier(hash), parameters)),
                DERWriter.tagged(
                    1,
                    DERWriter.sequence(
                        DERWriter.identifier("1.2.840.113549.1.1.8"),
                        DERWriter.sequence(DERWriter.identifier(mask), parameters))),
                salt.map { DERWriter.tagged(2, DERWriter.integer($0)) } ?? [],
                trailer.map { DERWriter.tagged(3, DERWriter.integer($0)) } ?? []))
    }

    private static func plain(_ id: String, _ parameters: [UInt8] = []) -> [UInt8] {
        DERWriter.sequence(DERWriter.identifier(id), parameters)
    }

    @Test(arguments: [
        Row(testDescription: "PSS as VCEKs have it", der: pss(), algorithm: .rsaPSSWithSHA384),
        Row(testDescription: "PSS as roots have it", der: pss(trailer: 1), algorithm: .rsaPSSWithSHA384),
        Row(testDescription: "PSS without parameters", der: pss(parameters: []), algorithm: .rsaPSSWithSHA384),
        Row(testDescription: "PSS with SHA-256", der: pss("2.16.840.1.101.3.4.2.1"), algorithm: .other),
        Row(testDescription: "PSS with a mask of SHA-256", der: pss(mask: "2.16.840.1.101.3.4.2.1"), algorithm: .other),
        Row(testDescription: "PSS with another salt", der: pss(salt: 32), algorithm: .other),
        Row(testDescription: "PSS with the default salt", der: pss(salt: nil), algorithm: .other),
        Row(testDescription: "PSS with another trailer", der: pss(trailer: 2), algorithm: .other),
        Row(
            testDescription: "PSS of defaults", der: plain("1.2.840.113549.1.1.10", DERWriter.sequence()),
            algorithm: .other),
        Row(testDescription: "ECDSA, SHA-256", der: plain("1.2.840.10045.4.3.2"), algorithm: .ecdsaWithSHA256),
        Row(testDescription: "ECDSA, SHA-384", der: plain("1.2.840.10045.4.3.3"), algorithm: .ecdsaWithSHA384),
        Row(
            testDescription: "ECDSA with parameters", der: plain("1.2.840.10045.4.3.2", DERWriter.null),
            algorithm: .other),
        Row(
            testDescription: "RSA, SHA-256", der: plain("1.2.840.113549.1.1.11", DERWriter.null),
            algorithm: .rsaWithSHA256),
        Row(
            testDescription: "RSA, SHA-384", der: plain("1.2.840.113549.1.1.12", DERWriter.null),
            algorithm: .rsaWithSHA384),
        Row(
            testDescription: "RSA, SHA-1", der: plain("1.2.840.113549.1.1.5", DERWriter.null), algorithm: .other),
    ])
    func algorithmsAreKnownWithTheirParameters(row: Row) throws {
        var written = TestCertificate(publicKeyInfo: TestKey.p256(P256.Signing.PrivateKey()).publicKeyInfo)
        written.algorithm = row.der
        let body = written.body(row.der)
        let der = DERWriter.sequence(body, row.der, DERWriter.bits([1, 2, 3]))
        let certificate = try Certificate(der: der)
        #expect(certificate.algorithm == row.algorithm)
        #expect(!certificate.algorithm.isValid(certificate.signature, over: body, by: written.publicKeyInfo))
    }

    @Test func aSignatureVerifiesUnderItsKeyAndAlgorithmAlone() throws {
        let message: [UInt8] = [1, 2, 3]
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let p256 = TestKey.p256(P256.Signing.PrivateKey())
        let p384 = TestKey.p384(P384.Signing.PrivateKey())
        let info = TestKey.rsaPSS(rsa).publicKeyInfo
        let pkcs1 = Array(
            try rsa.signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
        let pkcs384 = Array(
            try rsa.signature(for: SHA384.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
        let rows: [(SignatureAlgorithm, [UInt8], [UInt8])] = [
            (.rsaPSSWithSHA384, try TestKey.rsaPSS(rsa).sign(message), info), (.rsaWithSHA256, pkcs1, info),
            (.rsaWithSHA384, pkcs384, info), (.ecdsaWithSHA256, try p256.sign(message), p256.publicKeyInfo),
            (.ecdsaWithSHA384, try p384.sign(message), p384.publicKeyInfo),
        ]
        let algorithms: [SignatureAlgorithm] = rows.map(\.0) + [.other]
        for (own, signature, key) in rows {
            for algorithm in algorithms {
                #expect(algorithm.isValid(signature, over: message, by: key) == (algorithm == own))
                #expect(!algorithm.isValid(signature, over: message + [0], by: key))
                #expect(!algorithm.isValid(signature + [0], over: message, by: key))
                #expect(
                    !algorithm.isValid([], over: message, by: key)
                        && !algorithm.isValid(signature, over: message, by: []))
            }
        }
    }
}
