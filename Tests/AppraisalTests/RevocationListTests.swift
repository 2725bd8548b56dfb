// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Testing

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
