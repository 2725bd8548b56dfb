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

@Suite struct RevocationListTests {
    private static let key = TestKey.p384(P384.Signing.PrivateKey())

    @Test func theFieldsAreRead() throws {
        var written = TestRevocationList(issuer: "an issuer")
        written.revoked = [[5], [0], [0x80, 1]]
        let der = try written.signed(by: Self.key)
        let list = try RevocationList(der)
        #expect(list.issuer.commonName == "an issuer" && list.revoked == [[5], [0], [0x80, 1]])
        #expect(list.validity == Validity(notBefore: 1_577_836_800, notAfter: 2_524_607_999))
        #expect(list.algorithm == .ecdsaWithSHA384 && list.extensions["2.5.29.20"] == [2, 1, 7])
        #expect(list.algorithm.isValid(list.signature, over: list.signedBytes, by: Self.key.publicKeyInfo))
        #expect(try RevocationList(pem(der, "X509 CRL")) == list)
        written.revoked = []
        written.extensions = []
        #expect(try RevocationList(written.signed(by: Self.key)).revoked == [])
    }

    @Test(arguments: [
        Edit("version 1") { $0.version = 0 }, Edit("no next update") { $0.nextUpdate = nil },
        Edit("a critical extension") {
            $0.extensions.append(.init(id: "2.5.29.28", isCritical: true, value: []))
        },
        Edit("a critical extension of an entry") {
            $0.revoked = [[1]]
            $0.entryExtensions = [.init(id: "2.5.29.29", isCritical: true, value: [])]
        },
        Edit("an extension twice") { $0.extensions += $0.extensions },
        Edit("an empty serial number") { $0.revoked = [[]] },
    ])
    func whatIsNoListOfVersion2IsRefused(edit: Edit) throws {
        var list = TestRevocationList()
        edit.change(&list)
        let der = try list.signed(by: Self.key)
        #expect(throws: MalformedBytes.self) { try RevocationList(der) }
    }

    @Test func noPrefixAndNothingLongerIsAList() throws {
        let der = try TestRevocationList().signed(by: Self.key)
        for count in der.indices { #expect(throws: MalformedBytes.self) { try RevocationList(Array(der[..<count])) } }
        #expect(throws: MalformedBytes.self) { try RevocationList(der + [0]) }
        #expect(throws: MalformedBytes.self) { try RevocationList(pem(der, "X509 CRL") + pem(der, "X509 CRL")) }
        #expect(throws: MalformedBytes.self) { try RevocationList(pem(der)) }
        #expect(throws: MalformedBytes.self) { try RevocationList([UInt8](repeating: 0, count: 2 << 20)) }
    }

    struct Edit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout TestRevocationList) -> Void

        init(_ name: String, change: @escaping @Sendable (inout TestRevocationList) -> Void) {
            testDescription = name
            self.change = change
        }
    }
}

@Suite struct PEMTests {
    @Test func blocksAreReadInTheirOrder() throws {
        #expect(try PEM.decode(pem([1, 2]) + pem([3]), label: "CERTIFICATE") == [[1, 2], [3]])
        #expect(try PEM.decode(pem([1]) + [0, 0, 0], label: "CERTIFICATE") == [[1]])
        let windows = String(decoding: pem([1]), as: UTF8.self).replacing("\n", with: " \r\n\t")
        #expect(try PEM.decode(Array(windows.utf8), label: "CERTIFICATE") == [[1]])
        #expect(try PEM.orDER([1, 2], label: "CERTIFICATE") == [[1, 2]])
    }

    @Test(arguments: [
        "", "\n", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAQ==\n",
        "-----BEGIN CERTIFICATE-----\nAQ\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nA Q==\n-----END CERTIFICATE-----\n",
        "-----BEGIN X509 CRL-----\nAQ==\n-----END X509 CRL-----\n",
        "-----BEGIN CERTIFICATE-----\nAQ==\n-----END X509 CRL-----\n",
        "text\n-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\ntext",
        "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAQ\u{0}==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n\u{FF}\n-----END CERTIFICATE-----\n",
    ])
    func whatIsNotStrictIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try PEM.decode(Array(text.utf8), label: "CERTIFICATE") }
    }

    @Test func thereIsALimit() {
        let many = (0...PEM.maximumBlocks).flatMap { _ in pem([1]) }
        #expect(throws: MalformedBytes.self) { try PEM.decode(many, label: "CERTIFICATE") }
        let large = [UInt8](repeating: UInt8(ascii: "\n"), count: PEM.maximumSize + 1)
        #expect(throws: MalformedBytes.self) { try PEM.decode(large, label: "CERTIFICATE") }
    }
}

@Suite struct CivilTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-03-17T10:00:00Z", 1_773_741_600),
            ("1969-12-31T23:59:59Z", -1), ("0000-03-01T00:00:00Z", -62_162_035_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799), ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] as [(String, Int64)])
    func secondsAndDatesAreTheSame(text: String, seconds: Int64) {
        #expect(CivilTime(rfc3339: text)?.secondsSince1970 == seconds)
        #expect(CivilTime(secondsSince1970: seconds).rfc3339 == text)
    }

    @Test(arguments: [
        "", "2026-03-17", "2026-03-17T10:00:00", "2026-03-17 10:00:00Z", "2026-03-17T10:00:00+00:00",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01T00:00:0٠Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00z",
    ])
    func whatIsNoDateInUTCIsNotRead(text: String) { #expect(CivilTime(rfc3339: text) == nil) }

    @Test(arguments: [Int64.min, .min + 1, .max, -62_162_035_201])
    func noNumberTraps(seconds: Int64) { #expect(!CivilTime(secondsSince1970: seconds).rfc3339.isEmpty) }
}
