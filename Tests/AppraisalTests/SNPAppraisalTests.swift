// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON
import Testing

@Suite struct SNPAppraisalTests {
    private static let oid = SNPScene.oid

    /// What is accepted: each row would be refused by a check that is too strict.
    @Test(arguments: [
        SNPEdit("Milan"), SNPEdit("Genoa", .genoa), SNPEdit("Turin", .turin), SNPEdit("VLEK of Milan", .milan, .vlek),
        SNPEdit("VLEK of Turin", .turin, .vlek),
        SNPEdit("Siena", .genoa) { $0.put([0x19, 0xA0, 2], at: 0x188) },
        SNPEdit("version 2") {
            $0.put([2], at: 0)
            $0.put([0, 0, 0], at: 0x188)
        },
        SNPEdit("version 5") {
            $0.put([5], at: 0)
            $0.put([1, 0, 0, 0, 0, 0, 0, 0, 3], at: 0x1F8)
        },
        SNPEdit("a VLEK whose host masks chip keys", .milan, .vlek) { $0.put([6], at: 0x048) },
        SNPEdit("a VLEK whose host names the chip", .milan, .vlek) { $0.put(SNPScene.chip, at: 0x1A0) },
        SNPEdit("VMPL 3") { $0.put([3], at: 0x030) },
        SNPEdit("firmware that is not committed") { $0.put([220], at: 0x03F) },
        SNPEdit("firmware that was rolled back since launch") { $0.put([220], at: 0x1F7) },
        SNPEdit("the certificate as PEM") { $0.delivered = { pem($0) } },
        SNPEdit("its issuers") { scene in
            scene.issuers = [AMDAuthority.Role.ask, .ark].compactMap {
                scene.hierarchy.authority(.milan, $0)?.certificate
            }
        },
        SNPEdit("its issuers as PEM") { scene in
            scene.issuers = [AMDAuthority.Role.ask, .ark].compactMap { role in
                scene.hierarchy.authority(.milan, role).map { pem($0.certificate) }
            }
        },
        SNPEdit("the certificate beside the evidence") {
            $0.delivered = { _ in nil }
            $0.collateralForm = { $0 }
        },
        SNPEdit("the certificate beside the evidence, as PEM with its issuers") { scene in
            let ask = scene.hierarchy.authority(.milan, .ask)?.certificate ?? []
            scene.delivered = { _ in nil }
            scene.collateralForm = { pem($0) + pem(ask) }
            scene.collateral.amdCertificates = [[0xFF], ask]
        },
        SNPEdit("the certificate among others") {
            $0.delivered = { _ in nil }
            $0.collateralForm = { $0 }
            var other = $0.certificate
            other[SNPScene.oid + "4"] = [UInt8](repeating: 9, count: 64)
            $0.collateral.amdCertificates = [try other.signed(by: $0.certificateKey)]
        },
        SNPEdit("key usage and basic constraints of a leaf") {
            $0.certificate.extensions += [
                .init(id: "2.5.29.15", isCritical: true, value: DERWriter.bits([0x80], unused: 7)),
                .init(id: "2.5.29.19", isCritical: true, value: DERWriter.sequence()),
            ]
        },
        SNPEdit("an extension that is not known, and not critical") {
            $0.certificate.extensions.append(.init(id: "1.2.3", value: []))
        },
        SNPEdit("a list that revokes others") {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.revoked = [[9], [1, 0, 9]] }]
        },
        SNPEdit("a list as PEM") { $0.collateral.amdRevocationLists = [pem(try $0.revocationList(), "X509 CRL")] },
        SNPEdit("a list that revokes the issuer of providers' keys") {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.revoked = [[1, 0, 2]] }]
        },
        SNPEdit("a list of another product's root that revokes its own issuer") {
            $0.collateral.amdRevocationLists = [try $0.revocationList(of: .genoa) { $0.revoked = [[1, 0, 1]] }]
        },
        SNPEdit("an old list beside one in force") {
            $0.collateral.amdRevocationLists = [
                try $0.revocationList { $0.nextUpdate = "20210101000000" }, try $0.revocationList(),
            ]
        },
        SNPEdit("a required list") {
            $0.policy.snp.requireRevocationList = true
            $0.collateral.amdRevocationLists = [try $0.revocationList()]
        },
        SNPEdit("the last second of the certificate") {
            $0.certificate.notAfter = "20260317100000"
        },
        SNPEdit("the first second of the certificate") {
            $0.certificate.notBefore = "20260317100000"
        },
    ])
    func soundEvidenceIsAccepted(edit: SNPEdit) throws {
        let result = try edit.result()
        #expect(result.codes == [], "\(result.lines)")
        #expect(result.lines.map(\.step) == [1, 2, 4, 3] && result.lines.allSatisfy { $0.status == .passed })
        let evidence = try #require(result.accepted)
        #expect(evidence.platform == "snp" && evidence.binding.bytes == (0..<64).map { UInt8($0 &+ 0x80) })
    }

    /// Step 2: each row is refused by one check, and no other.
    @Test(arguments: [
        SNPEdit("a byte changed after signing", .milan, .vcek, [.snpSignature]) { $0.afterwards = { $0[0x50] ^= 1 } },
        SNPEdit("another key", .milan, .vcek, [.snpSignature]) { $0.reportKey = $0.hierarchy.strangerKey },
        SNPEdit("another algorithm", .milan, .vcek, [.snpSignature]) { $0.put([2], at: 0x034) },
        SNPEdit("a signature of zeros", .milan, .vcek, [.snpSignature]) {
            $0.afterwards = { $0.replaceSubrange(0x2A0..., with: [UInt8](repeating: 0, count: 512)) }
        },
        SNPEdit("a VLEK's report under a VCEK", .milan, .vcek, [.snpKeyKind]) { $0.put([4], at: 0x048) },
        SNPEdit("a VCEK's report under a VLEK", .milan, .vlek, [.snpKeyKind]) { $0.put([0], at: 0x048) },
        SNPEdit("a report that says it is not signed", .milan, .vcek, [.snpKeyKind]) { $0.put([0x1C], at: 0x048) },
        SNPEdit("a masked chip key", .milan, .vcek, [.snpChipKeyMasked]) { $0.put([2], at: 0x048) },
        SNPEdit("another product", .milan, .vcek, [.snpProduct]) { $0.put([0x19, 0x11], at: 0x188) },
        SNPEdit("an unknown processor", .milan, .vcek, [.snpProduct]) { $0.put([0x1B, 0], at: 0x188) },
        SNPEdit("another chip", .milan, .vcek, [.snpChip]) { $0.put([0], at: 0x1A0) },
        SNPEdit("a Turin chip with more bytes", .turin, .vcek, [.snpChip]) { $0.put([1], at: 0x1A8) },
        SNPEdit("older firmware than certified", .milan, .vcek, [.snpCertificateTCB]) { $0.put([218], at: 0x187) },
        SNPEdit("older certificate than firmware", .milan, .vcek, [.snpCertificateTCB]) {
            $0.certificate[oid + "3.8"] = DERWriter.integer(100)
        },
        SNPEdit("a Turin FMC that is not certified", .turin, .vcek, [.snpCertificateTCB]) { $0.put([1], at: 0x180) },
        SNPEdit("a certificate signed by a stranger", .milan, .vcek, [.snpChain]) {
            $0.certificateKey = $0.hierarchy.strangerAuthority
        },
        SNPEdit("a certificate signed on P-384", .milan, .vcek, [.snpChain]) {
            $0.certificateKey = .p384($0.hierarchy.chipKey)
        },
        SNPEdit("a VCEK signed by the ASVK", .milan, .vcek, [.snpChain]) { scene in
            scene.hierarchy.authority(.milan, .asvk).map { scene.certificateKey = $0.key }
        },
        SNPEdit("a VLEK signed by the ASK", .milan, .vlek, [.snpChain]) { scene in
            scene.hierarchy.authority(.milan, .ask).map { scene.certificateKey = $0.key }
        },
        SNPEdit("a VCEK signed by the root", .milan, .vcek, [.snpChain]) { scene in
            scene.hierarchy.authority(.milan, .ark).map { scene.certificateKey = $0.key }
        },
        SNPEdit("a VCEK of Genoa signed by Milan's ASK", .genoa, .vcek, [.snpChain]) { scene in
            scene.hierarchy.authority(.milan, .ask).map { scene.certificateKey = $0.key }
        },
        SNPEdit("another issuer's name", .milan, .vcek, [.snpChain]) { $0.certificate.issuer = "SEV-Genoa" },
        SNPEdit("a product without authorities", .milan, .vcek, [.snpChain]) {
            $0.authorities.removeAll { $0.product == .milan }
        },
        SNPEdit("an expired certificate", .milan, .vcek, [.snpDates]) { $0.certificate.notAfter = "20260317095959" },
        SNPEdit("a certificate of tomorrow", .milan, .vcek, [.snpDates]) {
            $0.certificate.notBefore = "20260317100001"
        },
        SNPEdit("an expired ASK", .milan, .vcek, [.snpDates]) { $0.expire(.ask) },
        SNPEdit("an expired ARK", .milan, .vcek, [.snpDates]) { $0.expire(.ark) },
    ])
    func aReportThatItsKeyDoesNotVouchForIsRefused(edit: SNPEdit) throws {
        let result = try edit.result()
        #expect(result.codes == edit.codes, "\(result.lines)")
        #expect(result.lines.first { $0.step == 2 }?.status == .failed)
    }

    /// Step 2: certificates of authorities, and revocation lists.
    @Test(arguments: [
        SNPEdit("another root", .milan, .vcek, [.snpIssuers]) { scene in
            scene.issuers = [
                try TestCertificate(
                    issuer: "ARK-Milan", subject: "ARK-Milan",
                    publicKeyInfo: scene.hierarchy.strangerAuthority.publicKeyInfo
                ).signed(by: scene.hierarchy.strangerAuthority)
            ]
        },
        SNPEdit("another certificate of the root's key", .milan, .vcek, [.snpIssuers]) { scene in
            guard let root = scene.hierarchy.authority(.milan, .ark) else { return }
            scene.issuers = [
                try TestCertificate(
                    serial: [7], issuer: root.name, subject: root.name, publicKeyInfo: root.key.publicKeyInfo
                ).signed(by: root.key)
            ]
        },
        SNPEdit("the issuer of another product", .milan, .vcek, [.snpIssuers]) { scene in
            scene.issuers = [scene.hierarchy.authority(.genoa, .ask)?.certificate ?? []]
        },
        SNPEdit("the issuer of the other kind", .milan, .vlek, [.snpIssuers]) { scene in
            scene.issuers = [scene.hierarchy.authority(.milan, .ask)?.certificate ?? []]
        },
        SNPEdit("an issuer that is no certificate", .milan, .vcek, [.snpIssuers]) { $0.issuers = [[1]] },
        SNPEdit("an issuer that is no PEM", .milan, .vcek, [.snpIssuers]) { $0.issuers = [Array("-----BEGIN".utf8)] },
        SNPEdit("a revoked ASK", .milan, .vcek, [.snpRevoked]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.revoked = [[9], [1, 0, 1]] }]
        },
        SNPEdit("a revoked ASVK", .milan, .vlek, [.snpRevoked]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.revoked = [[1, 0, 2]] }]
        },
        SNPEdit("a revoked ARK", .milan, .vcek, [.snpRevoked]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.revoked = [[1, 0, 0]] }]
        },
        SNPEdit("an ASK that an old list revoked", .milan, .vcek, [.snpRevoked]) {
            $0.collateral.amdRevocationLists = [
                try $0.revocationList {
                    $0.nextUpdate = "20210101000000"
                    $0.revoked = [[1, 0, 1]]
                }, try $0.revocationList(),
            ]
        },
        SNPEdit("an expired list", .milan, .vcek, [.snpRevocationDates]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.nextUpdate = "20260317095959" }]
        },
        SNPEdit("a list of tomorrow", .milan, .vcek, [.snpRevocationDates]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.thisUpdate = "20260317100001" }]
        },
        SNPEdit("a required list that expired", .milan, .vcek, [.snpRevocationDates]) {
            $0.policy.snp.requireRevocationList = true
            $0.collateral.amdRevocationLists = [try $0.revocationList { $0.nextUpdate = "20260317095959" }]
        },
        SNPEdit("no required list", .milan, .vcek, [.snpRevocationMissing]) {
            $0.policy.snp.requireRevocationList = true
        },
        SNPEdit("another product's list where one is required", .milan, .vcek, [.snpRevocationMissing]) {
            $0.policy.snp.requireRevocationList = true
            $0.collateral.amdRevocationLists = [try $0.revocationList(of: .turin)]
        },
        SNPEdit("a list signed by the ASK in the root's name", .milan, .vcek, [.snpRevocationSignature]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList(by: .ask) { $0.issuer = "ARK-Milan" }]
        },
        SNPEdit("a list signed by the ASK in its own name", .milan, .vcek, [.snpRevocationSignature]) {
            $0.collateral.amdRevocationLists = [try $0.revocationList(by: .ask)]
        },
        SNPEdit("a list of a stranger's", .milan, .vcek, [.snpRevocationSignature]) { scene in
            scene.collateral.amdRevocationLists = [
                try TestRevocationList(issuer: "ARK-Milan").signed(by: scene.hierarchy.strangerAuthority)
            ]
        },
        SNPEdit("a list that is none", .milan, .vcek, [.malformedCertificate]) {
            $0.collateral.amdRevocationLists = [[1, 2, 3]]
        },
        SNPEdit("a list with a critical extension", .milan, .vcek, [.malformedCertificate]) {
            $0.collateral.amdRevocationLists = [
                try $0.revocationList {
                    $0.extensions.append(.init(id: "2.5.29.28", isCritical: true, value: DERWriter.sequence()))
                }
            ]
        },
    ])
    func otherAuthoritiesAndRevokedOnesAreRefused(edit: SNPEdit) throws {
        let result = try edit.result()
        #expect(result.codes == edit.codes, "\(result.lines)")
        #expect(result.lines.first { $0.step == 2 }?.status == .failed)
    }

    /// Nothing is accepted where a check could not be made.
    @Test(arguments: [
        SNPEdit("no time", .milan, .vcek, [.noTime]) { $0.now = nil },
        SNPEdit("no certificate", .milan, .vcek, [.snpNoCertificate]) { $0.delivered = { _ in nil } },
        SNPEdit("no certificate of this chip among several", .milan, .vcek, [.snpNoCertificate]) {
            $0.delivered = { _ in nil }
            var other = $0.certificate
            other[SNPScene.oid + "4"] = [UInt8](repeating: 9, count: 64)
            let one = try other.signed(by: $0.certificateKey)
            $0.collateral.amdCertificates = [one, one]
        },
        SNPEdit("nothing but unreadable certificates", .milan, .vcek, [.snpNoCertificate]) {
            $0.delivered = { _ in nil }
            $0.collateral.amdCertificates = [[1], Array("-----BEGIN".utf8)]
        },
    ])
    func whatCannotBeCheckedIsNotAccepted(edit: SNPEdit) throws {
        let result = try edit.result()
        guard case .cannotCheck(let finding) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect([finding.code] == edit.codes)
        #expect(result.lines.map(\.step) == [1, 2, 3, 4])
    }
}
