// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Testing

@Suite struct CertificateTests {
    private static let key = TestKey.p256(P256.Signing.PrivateKey())
    private static let sound = TestCertificate(
        serial: [0x12, 0x34], issuer: "an issuer", subject: "a subject", notBefore: "20200229000000",
        notAfter: "20600101000000", publicKeyInfo: key.publicKeyInfo,
        extensions: [.init(id: "2.5.29.19", isCritical: true, value: [0x30, 6, 1, 1, 0xFF, 2, 1, 3])])

    @Test func theFieldsAreRead() throws {
        let der = try Self.sound.signed(by: Self.key)
        let certificate = try Certificate(der)
        #expect(certificate.der == der && certificate.serial == [0x12, 0x34])
        #expect(certificate.issuer.commonName == "an issuer" && certificate.subject.commonName == "a subject")
        #expect(certificate.validity == Validity(notBefore: 1_582_934_400, notAfter: 2_840_140_800))
        #expect(certificate.publicKeyInfo == Self.key.publicKeyInfo && certificate.algorithm == .ecdsaWithSHA256)
        #expect(certificate.extensions.isAuthority == true && certificate.extensions.pathLength == 3)
        #expect(certificate.extensions.critical(otherThan: []) == ["2.5.29.19"])
        #expect(certificate.extensions.maySignCertificates && certificate.extensions.maySign)
        #expect(
            certificate.algorithm.isValid(
                certificate.signature, over: certificate.signedBytes, by: Self.key.publicKeyInfo))
        #expect(try Certificate(pem(der)) == certificate && Certificate(pem(der) + [0, 0]) == certificate)
        #expect(try Certificate(Array("\r\n  \n".utf8) + pem(der)) == certificate)
    }

    /// Serial numbers that RFC 5280 forbids, and vendors or attackers write all the same.
    @Test(arguments: [[0], [0x80], [0xFF, 0x7F], [UInt8](repeating: 0x7F, count: 40)] as [[UInt8]])
    func anySerialNumberIsReadAsItCame(serial: [UInt8]) throws {
        var certificate = Self.sound
        certificate.serial = serial
        #expect(try Certificate(certificate.signed(by: Self.key)).serial == serial)
    }

    @Test(arguments: [
        Edit("version 1") { $0.version = 0 }, Edit("version 4") { $0.version = 3 },
        Edit("a huge version") { $0.version = .max },
        Edit("another algorithm within") { $0.algorithm = TestKey.p384(P384.Signing.PrivateKey()).algorithm },
        Edit("something after the extensions") { $0.bodyTail = DERWriter.null },
        Edit("something after the signature") { $0.tail = DERWriter.null },
        Edit("an empty serial number") { $0.serial = [] }, Edit("a padded serial number") { $0.serial = [0, 1] },
        Edit("a month too many") { $0.notAfter = "20261301000000" },
        Edit("a day too many") { $0.notAfter = "20210229000000" },
        Edit("an hour too many") { $0.notAfter = "20210201240000" },
        Edit("no public key") { $0.publicKeyInfo = [] },
        Edit("an extension twice") { $0.extensions += $0.extensions },
    ])
    func whatIsNoCertificateOfVersion3IsRefused(edit: Edit) throws {
        var certificate = Self.sound
        edit.change(&certificate)
        let der = try certificate.signed(by: Self.key)
        #expect(throws: MalformedBytes.self) { try Certificate(der) }
    }

    @Test func noPrefixAndNothingLongerIsACertificate() throws {
        let der = try Self.sound.signed(by: Self.key)
        for count in der.indices { #expect(throws: MalformedBytes.self) { try Certificate(Array(der[..<count])) } }
        #expect(throws: MalformedBytes.self) { try Certificate(der + [0]) }
        #expect(throws: MalformedBytes.self) { try Certificate([UInt8](repeating: 0x30, count: 70_000)) }
    }

    /// Nesting is limited by the reader, so that it does not exhaust the stack.
    @Test(arguments: [10, 49, 50, 51, 1000, 10_000])
    func nestedElementsDoNoHarm(depth: Int) {
        var der = DERWriter.null
        for _ in 0..<depth where der.count < 65_000 { der = DERWriter.sequence(der) }
        #expect(throws: MalformedBytes.self) { try Certificate(der) }
        #expect(throws: MalformedBytes.self) { try RevocationList(der) }
        // Elements whose length lies: nothing but headers.
        let headers = (0..<min(depth, 16_000)).flatMap { _ in [0x30, 0x82, 0xFF, 0xFF] as [UInt8] }
        #expect(throws: MalformedBytes.self) { try Certificate(headers) }
    }

    @Test func noChangedByteTraps() throws {
        let der = try Self.sound.signed(by: Self.key)
        for place in der.indices {
            for flip: UInt8 in [1, 0x80, 0xFF] {
                var bytes = der
                bytes[place] ^= flip
                guard let certificate = try? Certificate(bytes) else { continue }
                #expect(
                    !certificate.algorithm.isValid(
                        certificate.signature, over: certificate.signedBytes, by: Self.key.publicKeyInfo),
                    "byte \(place)")
            }
        }
    }

    /// Key usage, as the first byte of its bits: what the key may sign.
    @Test(
        arguments: [
            (nil, true, true, true), ([0x80], false, false, true), ([0x04], true, false, false),
            ([0x02], false, true, false), ([0x06], true, true, false), ([], false, false, false),
        ] as [([UInt8]?, Bool, Bool, Bool)])
    func keyUsageLimitsWhatIsSigned(bits: [UInt8]?, certificates: Bool, lists: Bool, others: Bool) throws {
        var certificate = Self.sound
        if let bits { certificate.extensions.append(.init(id: "2.5.29.15", value: DERWriter.bits(bits))) }
        let extensions = try Certificate(certificate.signed(by: Self.key)).extensions
        #expect(extensions.maySignCertificates == certificates && extensions.maySignRevocationLists == lists)
        #expect(extensions.maySign == others)
    }

    struct Edit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout TestCertificate) -> Void

        init(_ name: String, change: @escaping @Sendable (inout TestCertificate) -> Void) {
            testDescription = name
            self.change = change
        }
    }
}
