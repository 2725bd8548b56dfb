// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import Testing

/// Whether the certificates of both keys speak of one TPM.
@Suite struct TPMEndorsementTests {
    static let changes: [TPMRow] = [
        TPMRow("both speak of one TPM") { try $0.tie() },
        TPMRow("another TPM's endorsement certificate", "tpm.key.endorsement") {
            try $0.tie()
            $0.deliveredEndorsement = { $0 }
        },
        TPMRow("an endorsement certificate that nothing ties to the key") { $0.hasEndorsementCertificate = true },
        TPMRow("a name of an endorsement certificate that is not there") {
            try $0.tie()
            $0.hasEndorsementCertificate = false
        },
        TPMRow("two names, one of them another's", "tpm.key.endorsement") {
            try $0.tie(and: [Digest256(of: [1]).hex])
        },
        TPMRow("two names of the same") {
            try $0.tie()
            let digest = try $0.endorsementDigest()
            $0.name([TPMScene.identifier(digest), TPMScene.identifier(digest)])
        },
        TPMRow("a digest in capitals") {
            try $0.tie()
            $0.name([TPMScene.identifier(try $0.endorsementDigest().uppercased())])
        },
        TPMRow("a name by another assigner") {
            $0.hasEndorsementCertificate = true
            $0.name([TPMScene.identifier(Digest256(of: [1]).hex, assigner: "1.2.3")])
        },
        TPMRow("a name of another form") {
            $0.hasEndorsementCertificate = true
            $0.name([TPMScene.otherName("1.2.3", DERWriter.utf8("any"))])
        },
        TPMRow("a name without an assigner") {
            $0.hasEndorsementCertificate = true
            $0.name([TPMScene.otherName(TPMScene.permanent, DERWriter.sequence(DERWriter.utf8("any")))])
        },
        TPMRow("a digest that is none", "certificate.malformed") {
            $0.hasEndorsementCertificate = true
            $0.name([TPMScene.identifier("00ff")])
        },
        TPMRow("names that are no DER", "certificate.malformed") { $0.leaf["2.5.29.17"] = [0x30, 5, 0] },
        TPMRow("names with a byte too many", "certificate.malformed") {
            $0.leaf["2.5.29.17"] = DERWriter.sequence(TPMScene.identifier(Digest256(of: [1]).hex)) + [0]
        },
        TPMRow("names without end", "certificate.malformed") {
            $0.leaf["2.5.29.17"] = DERWriter.sequence(
                of: (0..<100).map { _ in TPMScene.identifier(Digest256(of: [1]).hex) })
        },
        TPMRow("an endorsement certificate by a maker whom nobody names") {
            $0.endorsement.issuer = "maker"
            try $0.tie()
        },
        TPMRow("an endorsement certificate that ended", "tpm.certificate.dates") {
            $0.endorsement.notAfter = "20250101000000"
            try $0.tie()
        },
        TPMRow("an endorsement certificate that is for attestation keys", "tpm.certificate.purpose") {
            $0.endorsement.extensions[1] = TPMScene.purpose("2.23.133.8.3")
            try $0.tie()
        },
        TPMRow("an endorsement certificate that does not parse", "certificate.malformed") {
            let certificate = Array(try $0.signedEndorsement().dropLast())
            $0.hasEndorsementCertificate = true
            $0.deliveredEndorsement = { _ in certificate }
            $0.name([TPMScene.identifier(Digest256(of: certificate).hex)])
        },
    ]

    @Test(arguments: changes)
    func aChangeHasItsCodes(row: TPMRow) throws {
        var scene = TPMScene()
        try row.change(&scene)
        #expect(try scene.appraised().reasons == row.codes)
    }

    @Test func theReportSaysWhatTiesThem() throws {
        var scene = TPMScene()
        try scene.tie()
        let digest = try scene.endorsementDigest()
        let result = try scene.appraised()
        #expect(result.line("TPM")?.compared.contains("\(digest), as the key's CA says; it is certified by") == true)
        guard case .accepted(let evidence) = result.verdict else { return #expect(Bool(false)) }
        #expect(evidence.proves.joined().contains("'TPM root' says too that this TPM is the one"))
        scene.name([])
        #expect(try scene.appraised().line("TPM")?.compared.contains("says nothing of this key") == true)
        scene.endorsement.issuer = "maker"
        try scene.tie()
        #expect(try scene.appraised().line("TPM")?.compared.contains("a maker whom the policy does not name") == true)
        scene.hasEndorsementCertificate = false
        #expect(try scene.appraised().line("TPM")?.status == .notChecked)
    }

    /// An endorsement certificate is public, and of a key that cannot sign: it never stands in for the other.
    @Test func anEndorsementCertificateIsNoAttestationCertificate() throws {
        var scene = TPMScene()
        scene.leaf = scene.endorsement
        #expect(
            try scene.appraised().reasons == ["tpm.certificate.purpose", "tpm.key.certificate"])
        // Not even for the key that it is of.
        scene.leaf.publicKeyInfo = scene.key.publicKeyInfo
        #expect(try scene.appraised().reasons == ["tpm.certificate.purpose"])
    }
}

extension TPMScene {
    static let permanent = "1.3.6.1.5.5.7.8.3"

    /// An OtherName.
    static func otherName(_ form: String, _ value: [UInt8]) -> [UInt8] {
        DERWriter.tagged(0, DERWriter.identifier(form) + DERWriter.tagged(0, value))
    }

    static func identifier(_ digest: String, assigner: String = "2.23.133.12.1") -> [UInt8] {
        otherName(permanent, DERWriter.sequence(DERWriter.utf8(digest), DERWriter.identifier(assigner)))
    }

    mutating func name(_ names: [[UInt8]]) { leaf["2.5.29.17"] = DERWriter.sequence(of: names) }

    func signedEndorsement() throws -> [UInt8] { try endorsement.signed(by: leafKey) }

    func endorsementDigest() throws -> String { Digest256(of: deliveredEndorsement(try signedEndorsement())).hex }

    /// Puts the endorsement certificate in, and its name into that of the attestation key. Keys sign anew each time, so
    /// the certificate is kept.
    mutating func tie(and more: [String] = []) throws {
        hasEndorsementCertificate = true
        let certificate = try signedEndorsement()
        deliveredEndorsement = { _ in certificate }
        name(([Digest256(of: certificate).hex] + more).map { Self.identifier($0) })
    }
}

extension AppraisalResult {
    fileprivate func line(_ name: String) -> ReportLine? { lines.first { $0.name == name } }
}
