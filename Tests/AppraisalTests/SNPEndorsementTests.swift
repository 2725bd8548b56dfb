// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import Testing

@Suite struct SNPEndorsementTests {
    private static let oid = SNPScene.oid

    @Test(arguments: SNPProduct.allCases)
    func whatACertificateSaysIsRead(product: SNPProduct) throws {
        let scene = try SNPScene(product)
        let endorsement = try SNPEndorsement(Certificate(der: scene.certificate.signed(by: scene.certificateKey)))
        #expect(endorsement.kind == .vcek && endorsement.product == product && endorsement.provider == nil)
        #expect(endorsement.structureVersion == (product == .turin ? 1 : 0))
        #expect(endorsement.chipID == Array(SNPScene.chip.prefix(product.chipIDSize)))
        #expect(
            endorsement.tcb
                == SNPTCBParts(fmc: product == .turin ? 2 : nil, bootloader: 4, tee: 1, snp: 24, microcode: 219))
        #expect(endorsement.certificate.serial == [0])
    }

    @Test(
        arguments: [
            ("Genoa", .genoa), ("Genoa-B1", .genoa), ("Siena-B0", .genoa), ("Bergamo", .genoa), ("Milan-B0", .milan),
            ("Turin-C1", .turin),
        ] as [(String, SNPProduct)])
    func aProductHasItsStepping(name: String, product: SNPProduct) throws {
        var scene = try SNPScene(product)
        scene.certificate[Self.oid + "2"] = DERWriter.ia5(name)
        let endorsement = try SNPEndorsement(Certificate(der: scene.certificate.signed(by: scene.certificateKey)))
        #expect(endorsement.product == product && endorsement.productName == name)
    }

    @Test func aVLEKNamesItsProvider() throws {
        let scene = try SNPScene(.genoa, .vlek)
        let endorsement = try SNPEndorsement(Certificate(der: scene.certificate.signed(by: scene.certificateKey)))
        #expect(endorsement.kind == .vlek && endorsement.chipID == nil && endorsement.provider == "CN=test.example")
    }

    /// Malformed certificates in the evidence are refused, not passed over.
    @Test(arguments: [
        SNPEdit("no version") { $0.certificate[oid + "1"] = nil },
        SNPEdit("an unknown version") { $0.certificate[oid + "1"] = DERWriter.integer(2) },
        SNPEdit("no product") { $0.certificate[oid + "2"] = nil },
        SNPEdit("an unknown product") { $0.certificate[oid + "2"] = DERWriter.ia5("Venice") },
        SNPEdit("a product that is no text") { $0.certificate[oid + "2"] = DERWriter.octets(Array("Milan".utf8)) },
        SNPEdit("a product that is not UTF-8") { $0.certificate[oid + "2"] = DERWriter.element(0x16, [0xFF]) },
        SNPEdit("no boot loader") { $0.certificate[oid + "3.1"] = nil },
        SNPEdit("no TEE") { $0.certificate[oid + "3.2"] = nil },
        SNPEdit("no SNP") { $0.certificate[oid + "3.3"] = nil },
        SNPEdit("no microcode") { $0.certificate[oid + "3.8"] = nil },
        SNPEdit("no FMC", .turin) { $0.certificate[oid + "3.9"] = nil },
        SNPEdit("a negative number") { $0.certificate[oid + "3.1"] = DERWriter.integer(octets: [0x84]) },
        SNPEdit("a number of nine bits") { $0.certificate[oid + "3.1"] = DERWriter.integer(256) },
        SNPEdit("a number of many bytes") {
            $0.certificate[oid + "3.1"] = DERWriter.integer(octets: [UInt8](repeating: 0x7F, count: 200))
        },
        SNPEdit("an empty number") { $0.certificate[oid + "3.1"] = DERWriter.integer(octets: []) },
        SNPEdit("a number with something behind it") { $0.certificate[oid + "3.1"] = DERWriter.integer(4) + [0] },
        SNPEdit("a part that is not known") { $0.certificate[oid + "3.4"] = DERWriter.integer(1) },
        SNPEdit("no chip") { $0.certificate[oid + "4"] = nil },
        SNPEdit("a chip with DER around it") { $0.certificate[oid + "4"] = DERWriter.octets(SNPScene.chip) },
        SNPEdit("a short chip") { $0.certificate[oid + "4"] = Array(SNPScene.chip.prefix(8)) },
        SNPEdit("a long chip", .turin) { $0.certificate[oid + "4"] = SNPScene.chip },
        SNPEdit("a VLEK of a chip", .milan, .vlek) {
            $0.certificate.extensions.append(.init(id: oid + "4", value: SNPScene.chip))
        },
        SNPEdit("a provider that is no text", .milan, .vlek) { $0.certificate[oid + "5"] = [1] },
        SNPEdit("another subject") { $0.certificate.subject = "SEV-Milan" },
        SNPEdit("an extension twice") { $0.certificate.extensions.append($0.certificate.extensions[0]) },
        SNPEdit("a critical extension that is not known") {
            $0.certificate.extensions.append(.init(id: "2.5.29.30", isCritical: true, value: []))
        },
        SNPEdit("a key that may only sign certificates") {
            $0.certificate.extensions.append(.init(id: "2.5.29.15", value: DERWriter.bits([0x04], unused: 2)))
        },
        SNPEdit("key usage that does not parse") {
            $0.certificate.extensions.append(.init(id: "2.5.29.15", value: [1, 2]))
        },
        SNPEdit("an authority") {
            $0.certificate.extensions.append(
                .init(id: "2.5.29.19", value: DERWriter.sequence(DERWriter.boolean(true))))
        },
        SNPEdit("basic constraints that do not parse") {
            $0.certificate.extensions.append(.init(id: "2.5.29.19", value: [1, 2]))
        },
        SNPEdit("a key on P-256") {
            $0.certificate.publicKeyInfo = TestKey.p256(P256.Signing.PrivateKey()).publicKeyInfo
        },
        SNPEdit("an RSA key") { $0.certificate.publicKeyInfo = $0.hierarchy.strangerAuthority.publicKeyInfo },
        SNPEdit("no extensions") { $0.certificate.extensions = [] },
        SNPEdit("two certificates") { $0.delivered = { pem($0) + pem($0) } },
        SNPEdit("no bytes") { $0.delivered = { _ in [] } },
    ])
    func malformedCertificatesAreRefused(edit: SNPEdit) throws {
        let result = try edit.result()
        #expect(result.codes == [.malformedCertificate], "\(result.lines)")
        #expect(result.lines.map(\.status) == [.passed, .failed, .cannotCheck, .cannotCheck])
    }

    @Test func aCertificateIsCheckedOnceForManyReports() throws {
        var scene = try SNPScene()
        let authorities = AMDAuthorities(scene.authorities)
        let certificate = try scene.certificate.signed(by: scene.certificateKey)
        let trusted = try SNPTrustedEndorsement(certificate, authorities: authorities)
        func codes(_ scene: SNPScene) throws -> [Finding.Code] {
            // Certificates have random signatures: the one that was trusted is delivered.
            var scene = scene
            scene.delivered = { _ in certificate }
            return SNPAppraiser(
                policy: scene.policy, collateral: scene.collateral, now: scene.now, trusted: [trusted],
                authorities: AMDAuthorities([])
            ).appraise(try scene.evidence(), platform: "snp").codes
        }
        #expect(try codes(scene) == [])
        scene.now = 4_000_000_000
        #expect(try codes(scene) == [.snpDates, .snpDates, .snpDates])
        scene.now = SNPScene.now
        scene.put([0], at: 0x1A0)
        #expect(try codes(scene) == [.snpChip])
        scene = try SNPScene()
        scene.afterwards = { $0[0x60] ^= 1 }
        #expect(try codes(scene) == [.snpSignature])
        scene = try SNPScene()
        scene.issuers = [[1]]
        #expect(try codes(scene) == [.snpIssuers])
    }

    @Test func aTrustedCertificateServesEvidenceThatCarriesNone() throws {
        var scene = try SNPScene()
        let trusted = try SNPTrustedEndorsement(
            pem(scene.certificate.signed(by: scene.certificateKey)), authorities: AMDAuthorities(scene.authorities))
        scene.delivered = { _ in nil }
        let result = SNPAppraiser(policy: scene.policy, now: scene.now, trusted: [trusted])
            .appraise(try scene.evidence(), platform: "snp")
        #expect(result.codes == [])
        scene.put([0], at: 0x1A0)
        let other = SNPAppraiser(policy: scene.policy, now: scene.now, trusted: [trusted])
            .appraise(try scene.evidence(), platform: "snp")
        #expect(other.codes == [.snpNoCertificate])
    }

    @Test func aCertificateThatIsNotAMDsIsNotTrusted() throws {
        let scene = try SNPScene()
        let certificate = try scene.certificate.signed(by: scene.certificateKey)
        #expect(throws: MalformedBytes.self) { try SNPTrustedEndorsement(certificate: certificate) }
        #expect(throws: MalformedBytes.self) { try SNPTrustedEndorsement(certificate, authorities: AMDAuthorities([])) }
        #expect(throws: MalformedBytes.self) { try SNPTrustedEndorsement(certificate: []) }
    }
}
