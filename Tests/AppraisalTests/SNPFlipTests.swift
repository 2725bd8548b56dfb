// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import TestVectors
import Testing

/// Every single byte changed, in reports, certificates and lists: none verifies, and no byte is benign.
@Suite struct SNPFlipTests {
    /// One bit of each byte of a real report. The certificate is checked once, so that a flip costs one check on P-384
    /// at most.
    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"), arguments: SharedVector.reports)
    func noByteOfARealReportCanBeChanged(vector: SharedVector) throws {
        let row = try SNPVector(vector)
        let report = try vector.bytes("report")
        let trusted = try SNPTrustedEndorsement(certificate: row.certificate)
        var policy = SNPVector.policy
        policy.snp.acceptDebugGuestsUnsafely = true
        let appraiser = SNPAppraiser(policy: policy, now: row.now, trusted: [trusted])
        func codes(_ bytes: [UInt8]) throws -> [Finding.Code] {
            appraiser.appraise(
                SNPEvidence(report: try SNPReport(decoding: bytes), endorsementKey: row.certificate), platform: "snp"
            ).codes
        }
        #expect(try codes(report) == [])
        for place in report.indices {
            var bytes = report
            bytes[place] ^= 1 << UInt8(place % 8)
            guard (try? SNPReport(decoding: bytes)) != nil else { continue }
            #expect(try codes(bytes).contains(.snpSignature), "byte \(place)")
        }
    }

    /// All bits of each byte.
    @Test(arguments: SNPProduct.allCases) func noByteOfAReportCanBeChanged(product: SNPProduct) throws {
        var scene = try SNPScene(product)
        let certificate = try scene.certificate.signed(by: scene.certificateKey)
        let trusted = try SNPTrustedEndorsement(certificate, authorities: AMDAuthorities(scene.authorities))
        scene.delivered = { _ in nil }
        let report = try scene.signedReport()
        let appraiser = SNPAppraiser(policy: scene.policy, now: scene.now, trusted: [trusted])
        for place in report.indices {
            var bytes = report
            bytes[place] ^= 0xFF
            guard let changed = try? SNPReport(decoding: bytes) else { continue }
            let evidence = SNPEvidence(report: changed, endorsementKey: certificate)
            #expect(appraiser.appraise(evidence, platform: "snp").codes.contains(.snpSignature), "byte \(place)")
        }
    }

    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"), arguments: SharedVector.reports)
    func noByteOfARealCertificateCanBeChanged(vector: SharedVector) throws {
        let certificate = try vector.bytes("vek")
        _ = try SNPTrustedEndorsement(certificate: certificate)
        for place in certificate.indices {
            for flip: UInt8 in [1 << UInt8(place % 8), 0xFF] {
                var bytes = certificate
                bytes[place] ^= flip
                #expect(throws: MalformedBytes.self, "byte \(place)") { try SNPTrustedEndorsement(certificate: bytes) }
            }
        }
    }

    /// Certificates of authorities in the evidence.
    @Test(
        .enabled(if: SharedVectors.arePresent, "the shared vectors are not there"),
        arguments: SharedVector.all("amd-roots", check: "cert"))
    func noByteOfAnAuthoritysCertificateCanBeChanged(vector: SharedVector) throws {
        let name = vector.id.split(separator: "-")
        let product = try #require(SNPProduct.allCases.first { $0.rawValue.lowercased() == name[0] })
        // The chain is asked for by product and kind of key alone.
        let scene = try SNPScene(product, name[1] == "asvk" ? .vlek : .vcek)
        let endorsement = try SNPEndorsement(Certificate(scene.certificate.signed(by: scene.certificateKey)))
        let chain = try #require(SNPChainCheck(endorsement, authorities: .amd))
        let certificate = try vector.bytes("cert")
        #expect(chain.issuerFindings([certificate]).isEmpty)
        for place in certificate.indices {
            for flip: UInt8 in [1 << UInt8(place % 8), 0xFF] {
                var bytes = certificate
                bytes[place] ^= flip
                #expect(chain.issuerFindings([bytes]).map(\.code) == [.snpIssuers], "byte \(place)")
            }
        }
    }

    @Test func noByteOfARevocationListCanBeChanged() throws {
        var scene = try SNPScene()
        let certificate = try scene.certificate.signed(by: scene.certificateKey)
        let trusted = try SNPTrustedEndorsement(certificate, authorities: AMDAuthorities(scene.authorities))
        scene.delivered = { _ in nil }
        let evidence = try scene.evidence()
        let list = try scene.revocationList { $0.revoked = [[9]] }
        func codes(_ list: [UInt8]) -> [Finding.Code] {
            SNPAppraiser(
                policy: scene.policy, collateral: CollateralSet(amdRevocationLists: [list]), now: scene.now,
                trusted: [trusted], authorities: AMDAuthorities(scene.authorities)
            ).appraise(evidence, platform: "snp").codes
        }
        #expect(codes(list) == [])
        for place in list.indices {
            var bytes = list
            bytes[place] ^= 1 << UInt8(place % 8)
            let codes = codes(bytes)
            #expect(codes == [.malformedCertificate] || codes == [.snpRevocationSignature], "byte \(place)")
        }
    }
}
