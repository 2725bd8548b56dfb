// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import Testing

/// A quote of a TPM with all that an appraisal needs, sound as it is made: each test edits one thing.
struct TPMScene {
    /// 2026-03-17T10:00:00Z.
    static let now: Int64 = 1_773_741_600
    static let extraData = (0..<48).map { UInt8($0) }
    static let measured = [UInt8](repeating: 0xE4, count: 32)
    private static let keys = Keys()

    /// Made once a process.
    struct Keys: Sendable {
        let attestation = TPMTestKey.p256(P256.Signing.PrivateKey())
        let endorsement = P256.Signing.PrivateKey()
        let root = TestKey.p384(P384.Signing.PrivateKey())
        let intermediate = TestKey.p256(P256.Signing.PrivateKey())
        let stranger = TestKey.p256(P256.Signing.PrivateKey())
    }

    let keys = TPMScene.keys
    var magic: UInt32 = 0xFF54_4347
    var type: UInt16 = 0x8018
    var extraData = TPMScene.extraData
    var selections: [(bank: TPMHashAlgorithm, registers: [Int])] = [(.sha256, Array(0..<24))]
    var values = TPMPCRValues()
    var key = TPMScene.keys.attestation
    var attributes: UInt32 = 0x50072
    /// Instead of the key's own.
    var publicArea: [UInt8]?
    var hash: TPMHashAlgorithm = .sha256
    /// Instead of the digest of the values.
    var digest: [UInt8]?
    /// Done to the values after they were quoted.
    var afterwards: (inout TPMPCRValues) -> Void = { _ in }
    /// Done to the signature.
    var signed: (TPMSignature.Value) -> TPMSignature.Value = { $0 }

    var root = TestCertificate(
        issuer: "TPM root", subject: "TPM root", publicKeyInfo: TPMScene.keys.root.publicKeyInfo,
        extensions: TPMScene.authority)
    var intermediate = TestCertificate(
        issuer: "TPM root", subject: "TPM CA", publicKeyInfo: TPMScene.keys.intermediate.publicKeyInfo,
        extensions: TPMScene.authority)
    var leaf = TestCertificate(
        issuer: "TPM CA", subject: "AK", publicKeyInfo: TPMScene.keys.attestation.publicKeyInfo,
        extensions: [
            .init(id: "2.5.29.15", isCritical: true, value: [3, 2, 7, 0x80]), purpose("2.23.133.8.3"),
        ])
    var endorsement = TestCertificate(
        issuer: "TPM CA", subject: "EK",
        publicKeyInfo: Array(TPMScene.keys.endorsement.publicKey.derRepresentation),
        extensions: [
            .init(id: "2.5.29.15", isCritical: true, value: [3, 2, 5, 0x20]), purpose("2.23.133.8.1"),
        ])
    var intermediateKey = TPMScene.keys.root
    var leafKey = TPMScene.keys.intermediate
    var hasAttestationCertificate = true
    var hasEndorsementCertificate = false
    var hasIntermediate = true
    /// Done to the certificate of the attestation key.
    var delivered: ([UInt8]) -> [UInt8] = { $0 }
    /// Done to the certificate of the endorsement key.
    var deliveredEndorsement: ([UInt8]) -> [UInt8] = { $0 }
    /// Besides the one.
    var issuers: [[UInt8]] = []
    var namesRoot = true
    var eventLog: [UInt8]?

    var policy = AppraisalPolicy()
    var collateral = CollateralSet()
    var now: Int64? = TPMScene.now

    init() {
        for register in 0..<24 { values[.sha256, register] = [UInt8](repeating: UInt8(register), count: 32) }
        let value = Digest256(of: [UInt8](repeating: 0, count: 32) + Self.measured).bytes
        values[.sha256, 4] = value
        policy.knownImages = [
            KnownImage(
                platform: .vtpm, name: "cupel-guest", version: "1.0.0",
                registers: ["PCR4": value, "PCR7": [UInt8](repeating: 7, count: 32)])
        ]
    }

    func evidence() throws -> TPMEvidence {
        let info = TPMBytes.attest(
            magic: magic, type: type, extraData: extraData, selections: selections, digest: digest ?? quoted())
        var delivered = values
        afterwards(&delivered)
        return try TPMEvidence(
            quote: try TPMAttest(decoding: info),
            signature: TPMSignature(hash: hash, value: signed(try key.sign(info))),
            registers: delivered,
            attestationKey: try TPMPublic(decoding: publicArea ?? key.publicArea(attributes: attributes)),
            attestationChain: hasAttestationCertificate ? try chain(leaf, delivered: self.delivered) : nil,
            endorsementChain: hasEndorsementCertificate ? try chain(endorsement, delivered: deliveredEndorsement) : nil,
            eventLogBytes: eventLog)
    }

    func appraised() throws -> AppraisalResult {
        var policy = policy
        if namesRoot { policy.tpm.trustedCertificates.append(try root.signed(by: keys.root)) }
        return appraise(try evidence().envelope, policy: policy, collateral: collateral, now: now)
    }

    func signedIntermediate() throws -> [UInt8] { try intermediate.signed(by: intermediateKey) }

    /// The TPM's name of the attestation key.
    func keyName() throws -> [UInt8] { try TPMPublic(decoding: key.publicArea(attributes: attributes)).name }

    private func chain(_ leaf: TestCertificate, delivered: ([UInt8]) -> [UInt8]) throws -> TPMEvidence.Chain {
        TPMEvidence.Chain(
            certificate: delivered(try leaf.signed(by: leafKey)),
            issuers: issuers + (hasIntermediate ? [try signedIntermediate()] : []))
    }

    private func quoted() -> [UInt8] {
        let bytes = selections.flatMap { selection in
            selection.registers.sorted().flatMap { values[selection.bank, $0] ?? [] }
        }
        return hash.digest(of: bytes)
    }

    static let authority: [TestCertificate.Extension] = [
        .init(id: "2.5.29.19", isCritical: true, value: [0x30, 3, 1, 1, 0xFF]),
        .init(id: "2.5.29.15", isCritical: true, value: [3, 2, 2, 4]),
    ]

    static func purpose(_ id: String) -> TestCertificate.Extension {
        .init(id: "2.5.29.37", value: DERWriter.sequence(DERWriter.identifier(id)))
    }
}

/// One change to a scene, and all the codes that refuse it.
struct TPMRow: Sendable, CustomTestStringConvertible {
    let name: String
    let codes: [String]
    let change: @Sendable (inout TPMScene) throws -> Void

    init(_ name: String, _ codes: String..., change: @escaping @Sendable (inout TPMScene) throws -> Void) {
        self.name = name
        self.codes = codes.sorted()
        self.change = change
    }

    var testDescription: String { name }
}

extension AppraisalResult {
    /// The codes of why it was not accepted, each once; an obstacle's with a question mark.
    var reasons: [String] {
        switch verdict {
        case .accepted: []
        case .rejected(let first, let more): Set(([first] + more).map(\.code.rawValue)).sorted()
        case .cannotCheck(let obstacle): ["?" + obstacle.code.rawValue]
        }
    }

    var isAccepted: Bool { if case .accepted = verdict { true } else { false } }

    /// What an accepted one does not prove, as one text.
    var caveats: String {
        if case .accepted(let evidence) = verdict { evidence.doesNotProve.joined(separator: "\n") } else { "" }
    }
}
