// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import Testing

/// What ties an attestation key to a TPM.
@Suite struct TPMKeyTests {
    static let trust: [TPMRow] = [
        TPMRow("no CA and no key named", "?tpm.no-authority") { $0.namesRoot = false },
        TPMRow("a CA that does not parse", "?tpm.authority-malformed") {
            $0.policy.tpm.trustedCertificates = [[0x30, 0]]
        },
        TPMRow("no time", "?appraisal.no-time") { $0.now = nil },
        TPMRow("no certificate", "tpm.key.unknown") { $0.hasAttestationCertificate = false },
        TPMRow("no certificate, unbound keys accepted", "tpm.key.unknown") {
            $0.hasAttestationCertificate = false
            $0.policy.tpm.acceptUnboundAttestationKeyUnsafely = true
        },
        TPMRow("an endorsement certificate alone", "tpm.key.unbound") { $0.endorse() },
        TPMRow("an endorsement certificate alone, accepted by name") {
            $0.endorse()
            $0.policy.tpm.acceptUnboundAttestationKeyUnsafely = true
        },
        TPMRow("an endorsement certificate of nobody's, accepted by name", "tpm.certificate.path") {
            $0.endorse()
            $0.leafKey = $0.keys.stranger
            $0.policy.tpm.acceptUnboundAttestationKeyUnsafely = true
        },
        TPMRow("an endorsement certificate that is for attestation keys", "tpm.key.unbound", "tpm.certificate.purpose")
        {
            $0.endorse()
            $0.endorsement.extensions[1] = TPMScene.purpose("2.23.133.8.3")
        },
        TPMRow("an endorsement certificate beside the key's own") { $0.hasEndorsementCertificate = true },
        TPMRow("a key that the verifier names, without time") {
            $0.nameKey(try $0.keyName())
            $0.now = nil
        },
        TPMRow("another key that the verifier names", "tpm.key.unknown") { $0.nameKey([0, 11] + TPMScene.measured) },
        TPMRow("a named key that may sign anything", "tpm.key.attributes") {
            $0.attributes = 0x40072
            $0.nameKey(try $0.keyName())
        },
        TPMRow("a certificate of another key", "tpm.key.certificate") {
            $0.leaf.publicKeyInfo = TestKey.p256(P256.Signing.PrivateKey()).publicKeyInfo
        },
        TPMRow("a key by another scheme", "tpm.key.scheme") {
            guard case .p256(let key) = $0.key else { return }
            $0.publicArea = TPMBytes.eccKey(
                curve: 3, Array(key.publicKey.rawRepresentation), attributes: 0x50072, scheme: 0x16)
        },
    ]

    static let attributes: [TPMRow] =
        [
            ("fixedTPM", 0x50070), ("fixedParent", 0x50062), ("sensitiveDataOrigin", 0x50052), ("restricted", 0x40072),
            ("sign", 0x10072),
        ].map { name, bits in TPMRow("without \(name)", "tpm.key.attributes") { $0.attributes = bits } }
        + [
            TPMRow("with decrypt", "tpm.key.attributes") { $0.attributes = 0x70072 },
            TPMRow("without userWithAuth") { $0.attributes = 0x50032 },
        ]

    static let certificates: [TPMRow] = [
        TPMRow("the leaf is too old", "tpm.certificate.dates") { $0.leaf.notAfter = "20260317095959" },
        TPMRow("the leaf ends now") { $0.leaf.notAfter = "20260317100000" },
        TPMRow("the leaf is too young", "tpm.certificate.dates") { $0.leaf.notBefore = "20260317100001" },
        TPMRow("the intermediate is too old", "tpm.certificate.dates") { $0.intermediate.notAfter = "20250101000000" },
        TPMRow("the root is too old", "tpm.certificate.dates") { $0.root.notAfter = "20250101000000" },
        TPMRow("the intermediate is no CA", "tpm.certificate.authority") {
            $0.intermediate.extensions[0].value = [0x30, 0]
        },
        TPMRow("the intermediate does not say that it is a CA", "tpm.certificate.authority") {
            $0.intermediate.extensions.remove(at: 0)
        },
        TPMRow("the root is no CA", "tpm.certificate.authority") { $0.root.extensions.remove(at: 0) },
        TPMRow("the intermediate may not sign certificates", "tpm.certificate.authority") {
            $0.intermediate.extensions[1].value = [3, 2, 1, 2]
        },
        TPMRow("key usage of the intermediate is not limited") { $0.intermediate.extensions.remove(at: 1) },
        TPMRow("no CA may be below the root", "tpm.certificate.authority") {
            $0.root.extensions[0].value = [0x30, 6, 1, 1, 0xFF, 2, 1, 0]
        },
        TPMRow("one CA may be below the root, none below the intermediate") {
            $0.root.extensions[0].value = [0x30, 6, 1, 1, 0xFF, 2, 1, 1]
            $0.intermediate.extensions[0].value = [0x30, 6, 1, 1, 0xFF, 2, 1, 0]
        },
        TPMRow("an unknown critical extension of the leaf", "tpm.certificate.extension") {
            $0.leaf.extensions.append(.init(id: "1.2.3", isCritical: true, value: []))
        },
        TPMRow("an unknown extension of the leaf") { $0.leaf.extensions.append(.init(id: "1.2.3", value: [])) },
        TPMRow("name constraints of the intermediate", "tpm.certificate.extension") {
            $0.intermediate.extensions.append(.init(id: "2.5.29.30", isCritical: true, value: [0x30, 0]))
        },
        TPMRow("an unknown critical extension of the root", "tpm.certificate.extension") {
            $0.root.extensions.append(.init(id: "1.2.3", isCritical: true, value: []))
        },
        TPMRow("a critical alternative name") {
            $0.leaf.extensions.append(.init(id: "2.5.29.17", isCritical: true, value: [0x30, 0]))
        },
        TPMRow("a leaf for servers", "tpm.certificate.purpose") {
            $0.leaf.extensions[1] = TPMScene.purpose("1.3.6.1.5.5.7.3.1")
        },
        TPMRow("a leaf for endorsement", "tpm.certificate.purpose") {
            $0.leaf.extensions[1] = TPMScene.purpose("2.23.133.8.1")
        },
        TPMRow("a leaf for any purpose") { $0.leaf.extensions[1] = TPMScene.purpose("2.5.29.37.0") },
        TPMRow("a leaf without purposes, as clouds make them") { $0.leaf.extensions.remove(at: 1) },
        TPMRow("purposes that do not parse", "tpm.certificate.purpose") { $0.leaf.extensions[1].value = [0x30] },
        TPMRow("an intermediate for servers", "tpm.certificate.purpose") {
            $0.intermediate.extensions.append(TPMScene.purpose("1.3.6.1.5.5.7.3.1"))
        },
        TPMRow("a leaf that may not sign", "tpm.certificate.purpose") {
            $0.leaf.extensions[0].value = [3, 2, 5, 0x20]
        },
        TPMRow("a leaf that is a CA", "tpm.certificate.purpose") {
            $0.leaf.extensions.append(.init(id: "2.5.29.19", value: [0x30, 3, 1, 1, 0xFF]))
        },
        TPMRow("a leaf that does not parse", "certificate.malformed") { $0.delivered = { Array($0.dropLast()) } },
        TPMRow("an issuer that does not parse", "certificate.malformed") { $0.issuers = [[0x30, 0]] },
    ]

    static let ways: [TPMRow] = [
        TPMRow("no intermediate", "tpm.certificate.path") { $0.hasIntermediate = false },
        TPMRow("the verifier has the intermediate") {
            $0.hasIntermediate = false
            $0.collateral.tpmCertificates = [[1], try $0.signedIntermediate()]
        },
        TPMRow("the verifier has the intermediate as PEM") {
            $0.hasIntermediate = false
            $0.collateral.tpmCertificates = [pem(try $0.signedIntermediate())]
        },
        TPMRow("the verifier names the root among others, as PEM") {
            $0.namesRoot = false
            let other = try TestCertificate(publicKeyInfo: $0.keys.stranger.publicKeyInfo).signed(by: $0.keys.stranger)
            $0.policy.tpm.trustedCertificates = [pem(other) + pem(try $0.root.signed(by: $0.keys.root))]
        },
        TPMRow("the verifier names the intermediate") {
            $0.namesRoot = false
            $0.policy.tpm.trustedCertificates = [try $0.signedIntermediate()]
        },
        TPMRow("the verifier names the leaf, which is no CA", "tpm.certificate.path") {
            $0.namesRoot = false
            $0.policy.tpm.trustedCertificates = [try $0.leaf.signed(by: $0.leafKey)]
        },
        TPMRow("somebody else's root of the same name", "tpm.certificate.path") {
            $0.namesRoot = false
            var root = $0.root
            root.publicKeyInfo = $0.keys.stranger.publicKeyInfo
            $0.policy.tpm.trustedCertificates = [try root.signed(by: $0.keys.stranger)]
        },
        TPMRow("the leaf is signed by somebody else", "tpm.certificate.path") { $0.leafKey = $0.keys.stranger },
        TPMRow("the intermediate is signed by somebody else", "tpm.certificate.path") {
            $0.intermediateKey = $0.keys.stranger
        },
        TPMRow("the leaf names another issuer", "tpm.certificate.path") { $0.leaf.issuer = "TPM root" },
        TPMRow("the evidence brings the root") { $0.issuers = [try $0.root.signed(by: $0.keys.root)] },
        TPMRow("a root of its own in the evidence", "tpm.certificate.path") { scene in
            scene.intermediateKey = scene.keys.stranger
            scene.intermediate.issuer = "own root"
            let own = TestCertificate(
                issuer: "own root", subject: "own root", publicKeyInfo: scene.keys.stranger.publicKeyInfo,
                extensions: TPMScene.authority)
            scene.issuers = [try own.signed(by: scene.keys.stranger)]
        },
        TPMRow("an expired twin of the intermediate") { scene in
            var twin = scene.intermediate
            twin.notAfter = "20250101000000"
            scene.issuers = [try twin.signed(by: scene.keys.root)]
        },
        TPMRow("two CAs that certify each other, and no root", "tpm.certificate.path") { scene in
            scene.intermediate.issuer = "other"
            scene.intermediateKey = scene.keys.stranger
            let other = TestCertificate(
                issuer: "TPM CA", subject: "other", publicKeyInfo: scene.keys.stranger.publicKeyInfo,
                extensions: TPMScene.authority)
            scene.issuers = [try other.signed(by: scene.keys.intermediate)]
        },
        TPMRow("as many CAs as are looked at") { try $0.lengthen(by: 5) },
        TPMRow("a CA more", "tpm.certificate.path") { try $0.lengthen(by: 6) },
    ]

    @Test(arguments: trust + attributes)
    func whatTiesAKeyHasItsCodes(row: TPMRow) throws { try check(row) }

    @Test(arguments: certificates)
    func eachCertificateIsJudged(row: TPMRow) throws { try check(row) }

    @Test(arguments: ways)
    func theWayToTheRootIsFound(row: TPMRow) throws { try check(row) }

    private func check(_ row: TPMRow) throws {
        var scene = TPMScene()
        try row.change(&scene)
        #expect(try scene.appraised().reasons == row.codes)
    }

    @Test func anUnboundKeyIsSaidToBeAnybodys() throws {
        var scene = TPMScene()
        scene.endorse()
        scene.policy.tpm.acceptUnboundAttestationKeyUnsafely = true
        let result = try scene.appraised()
        #expect(result.caveats.contains("that a TPM was involved at all"))
        #expect(result.lines[2].compared.contains("not tied to any TPM"))
    }

    @Test(arguments: [true, false])
    func noChangedByteOfACertificateIsAccepted(isLeaf: Bool) throws {
        let scene = TPMScene()
        let evidence = try scene.evidence()
        let chain = try #require(evidence.attestationChain)
        var policy = scene.policy
        policy.tpm.trustedCertificates = [try scene.root.signed(by: scene.keys.root)]
        let bytes = isLeaf ? chain.certificate : chain.issuers[0]
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            let part = try TPMEvidence(
                quote: evidence.quote, signature: evidence.signature, registers: evidence.registers,
                attestationKey: evidence.attestationKey,
                attestationChain: TPMEvidence.Chain(
                    certificate: isLeaf ? changed : chain.certificate, issuers: isLeaf ? chain.issuers : [changed]))
            let result = appraise(part.envelope, policy: policy, now: TPMScene.now)
            #expect(!result.isAccepted, "byte \(index)")
        }
    }
}

extension TPMScene {
    fileprivate mutating func endorse() {
        hasAttestationCertificate = false
        hasEndorsementCertificate = true
    }

    fileprivate mutating func nameKey(_ name: [UInt8]) {
        hasAttestationCertificate = false
        namesRoot = false
        policy.tpm.attestationKeyNames = [name]
    }

    /// Puts CAs between the root and the intermediate.
    fileprivate mutating func lengthen(by count: Int) throws {
        for number in 0..<count {
            let authority = TestCertificate(
                issuer: number == 0 ? "TPM root" : "CA \(number - 1)", subject: "CA \(number)",
                publicKeyInfo: keys.stranger.publicKeyInfo, extensions: Self.authority)
            issuers.append(try authority.signed(by: number == 0 ? keys.root : keys.stranger))
        }
        intermediate.issuer = "CA \(count - 1)"
        intermediateKey = keys.stranger
    }
}
