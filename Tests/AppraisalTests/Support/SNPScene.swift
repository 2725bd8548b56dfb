// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON

/// An SEV-SNP report with all that an appraisal needs, sound as it is made: each test edits one thing.
struct SNPScene {
    static let measurement = [UInt8](repeating: 0x4D, count: 48)
    static let chip = (1...64).map { UInt8($0) }
    /// 2026-03-17T10:00:00Z.
    static let now: Int64 = 1_773_741_600

    let hierarchy: AMDTestHierarchy
    let product: SNPProduct
    /// Unsigned.
    var report: [UInt8]
    var reportKey: P384.Signing.PrivateKey
    /// Done to the report after it is signed.
    var afterwards: (inout [UInt8]) -> Void = { _ in }
    var certificate: TestCertificate
    var certificateKey: TestKey
    /// Done to the certificate's bytes: `nil` leaves it out of the evidence.
    var delivered: ([UInt8]) -> [UInt8]? = { $0 }
    var issuers: [[UInt8]] = []
    var collateral = CollateralSet()
    /// Puts the certificate, DER, among the collateral's.
    var collateralForm: (([UInt8]) -> [UInt8])?
    var authorities: [AMDAuthority]
    var policy = AppraisalPolicy()
    var now: Int64? = SNPScene.now

    init(_ product: SNPProduct = .milan, _ kind: SNPSigningFlags.SigningKey = .vcek) throws {
        guard let hierarchy = AMDTestHierarchy.shared,
            let issuer = hierarchy.authority(product, kind == .vlek ? .asvk : .ask)
        else { throw MalformedBytes(format: "test", offset: 0, reason: "no hierarchy") }
        self.hierarchy = hierarchy
        self.product = product
        authorities = hierarchy.authorities.map(\.asTrusted)
        reportKey = kind == .vlek ? hierarchy.providerKey : hierarchy.chipKey
        certificateKey = issuer.key
        certificate = TestCertificate(
            issuer: issuer.name, subject: kind == .vlek ? "SEV-VLEK" : "SEV-VCEK",
            publicKeyInfo: TestKey.p384(reportKey).publicKeyInfo,
            extensions: Self.extensions(product, kind))
        report = Self.report(product, kind)
        policy.knownImages = [
            KnownImage(
                platform: .snp, name: "cupel-guest", version: "1.0.0", registers: ["MEASUREMENT": Self.measurement])
        ]
    }

    func evidence() throws -> SNPEvidence {
        let der = try certificate.signed(by: certificateKey)
        return SNPEvidence(
            report: try SNPReport(decoding: try signedReport()), endorsementKey: delivered(der), issuers: issuers)
    }

    func signedReport() throws -> [UInt8] {
        var bytes = report
        let signature = try reportKey.signature(for: SHA384.hash(data: bytes[..<0x2A0])).rawRepresentation
        bytes.replaceSubrange(0x2A0..<0x2D0, with: signature.prefix(48).reversed())
        bytes.replaceSubrange(0x2E8..<0x318, with: signature.suffix(48).reversed())
        afterwards(&bytes)
        return bytes
    }

    func appraised() throws -> AppraisalResult {
        var collateral = collateral
        if let collateralForm {
            collateral.amdCertificates.append(collateralForm(try certificate.signed(by: certificateKey)))
        }
        return SNPAppraiser(
            policy: policy, collateral: collateral, now: now, authorities: AMDAuthorities(authorities)
        ).appraise(try evidence(), platform: "snp")
    }

    mutating func put(_ bytes: [UInt8], at place: Int) {
        report.replaceSubrange(place..<place + bytes.count, with: bytes)
    }

    /// A list as the product's root signs it.
    func revocationList(
        of product: SNPProduct? = nil, by role: AMDAuthority.Role = .ark,
        _ change: (inout TestRevocationList) -> Void = { _ in }
    ) throws -> [UInt8] {
        guard let signer = hierarchy.authority(product ?? self.product, role) else { return [] }
        var list = TestRevocationList(issuer: signer.name)
        change(&list)
        return try list.signed(by: signer.key)
    }

    static let oid = "1.3.6.1.4.1.3704.1."

    private static func extensions(
        _ product: SNPProduct, _ kind: SNPSigningFlags.SigningKey
    ) -> [TestCertificate.Extension] {
        var values: [(String, [UInt8])] = [
            ("1", DERWriter.integer(product == .turin ? 1 : 0)),
            ("2", DERWriter.ia5(kind == .vcek && product == .milan ? "Milan-B0" : product.rawValue)),
            ("3.1", DERWriter.integer(4)), ("3.2", DERWriter.integer(1)), ("3.4", DERWriter.integer(0)),
            ("3.3", DERWriter.integer(24)), ("3.8", DERWriter.integer(219)),
        ]
        if product == .turin { values.append(("3.9", DERWriter.integer(2))) }
        values.append(
            kind == .vlek ? ("5", DERWriter.ia5("CN=test.example")) : ("4", Array(chip.prefix(product.chipIDSize))))
        return values.map { .init(id: oid + $0, value: $1) }
    }

    private static func report(_ product: SNPProduct, _ kind: SNPSigningFlags.SigningKey) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SNPReport.size)
        func put(_ value: [UInt8], _ place: Int) { bytes.replaceSubrange(place..<place + value.count, with: value) }
        put([3], 0x000)
        put([55, 1, 0x02], 0x008)
        put([1], 0x034)
        put([kind == .vlek ? 4 : 0], 0x048)
        put((0..<64).map { UInt8($0 &+ 0x80) }, 0x050)
        put(measurement, 0x090)
        put([UInt8](repeating: 0xFF, count: 32), 0x160)
        let tcb: [UInt8] = product == .turin ? [2, 4, 1, 24, 0, 0, 0, 219] : [4, 1, 0, 0, 0, 0, 24, 219]
        for place in [0x038, 0x180, 0x1E0, 0x1F0] { put(tcb, place) }
        switch product {
        case .milan: put([0x19, 0x01, 1], 0x188)
        case .genoa: put([0x19, 0x11, 1], 0x188)
        case .turin: put([0x1A, 0x02, 1], 0x188)
        }
        if kind == .vcek { put(Array(chip.prefix(product.chipIDSize)), 0x1A0) }
        put([29, 55, 1, 0, 29, 55, 1, 0], 0x1E8)
        return bytes
    }
}

extension AppraisalResult {
    /// Of all findings, in their order; empty where it was accepted.
    var codes: [Finding.Code] {
        switch verdict {
        case .accepted: []
        case .rejected(let first, let more): ([first] + more).map(\.code)
        case .cannotCheck(let finding): [finding.code]
        }
    }

    var accepted: AppraisedEvidence? {
        if case .accepted(let evidence) = verdict { return evidence }
        return nil
    }
}
