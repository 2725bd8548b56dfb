// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON
import Testing

@Suite struct SNPEvidenceTests {
    /// It speaks for another machine, not against the evidence.
    @Test func aCertificateBesideTheEvidenceThatDoesNotFitSaysInWhat() throws {
        var scene = try SNPScene()
        scene.delivered = { _ in nil }
        scene.collateralForm = { $0 }
        scene.put([0], at: 0x1A0)
        let result = try scene.appraised()
        guard case .cannotCheck(let finding) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(finding.code == .snpNoCertificate && finding.found.hasSuffix("differs in CHIP_ID"))
    }

    @Test func whereChipsAreMaskedTheSignatureTellsWhichCertificateFits() throws {
        var scene = try SNPScene()
        scene.put([UInt8](repeating: 0, count: 64), at: 0x1A0)
        scene.policy.snp.acceptMaskedChipIDs = true
        var other = scene.certificate
        other[SNPScene.oid + "4"] = [UInt8](repeating: 9, count: 64)
        other.publicKeyInfo = TestKey.p384(scene.hierarchy.strangerKey).publicKeyInfo
        scene.collateral.amdCertificates = [try other.signed(by: scene.certificateKey)]
        scene.delivered = { _ in nil }
        scene.collateralForm = { $0 }
        #expect(try scene.appraised().codes == [])
    }

    @Test func everythingThatIsWrongIsSaid() throws {
        var scene = try SNPScene()
        scene.put([0x0A], at: 0x00A)
        scene.put([0], at: 0x1A0)
        scene.certificate.notAfter = "20210101000000"
        scene.policy.knownImages = []
        let result = try scene.appraised()
        #expect(result.codes == [.snpChip, .snpDates, .snpDebug, .unknownImage])
    }

    @Test func anEnvelopeIsReadWithItsCertificates() throws {
        let scene = try SNPScene(.turin)
        let certificate = try scene.certificate.signed(by: scene.certificateKey)
        let envelope = EvidenceEnvelope(
            platform: "gcp-snp",
            evidence: [
                "attestation_report": .string(Base64.encode(try scene.signedReport())),
                "cert_chain": ["vcek": .string(Base64.encode(certificate))],
            ])
        let appraiser = SNPAppraiser(
            policy: scene.policy, now: scene.now, authorities: AMDAuthorities(scene.authorities))
        #expect(appraiser.appraise(envelope).accepted?.platform == "gcp-snp")
        // The test's roots are not AMD's.
        #expect(appraise(envelope, policy: scene.policy, now: scene.now).codes == [.snpChain])
        #expect(appraiser.appraise(EvidenceEnvelope(platform: "snp", evidence: [:])).codes == [.malformedEvidence])
    }
}
