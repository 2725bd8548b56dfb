// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct TPMQuoteVectorTests {
    /// Those of which there is more than the message.
    static let rows = SharedVector.all("tpm", check: "tpm").filter { $0.has("sig") }

    /// Why each of the vectors that must be refused is, and of the valid ones those that the defaults refuse.
    static let codes: [String: [String]] = [
        "gce-nononce-sha1": ["tpm.quote.bank"],
        "neg-extradata": ["tpm.quote.signature"],
        "neg-clock": ["tpm.quote.signature"],
        "neg-pcrdigest": ["tpm.quote.digest", "tpm.quote.signature"],
        "neg-sig-rsa": ["tpm.quote.signature"],
        "neg-wrong-key": ["tpm.quote.signature"],
        "neg-key-type": ["tpm.quote.signature"],
        "neg-pcr-value": ["tpm.quote.digest"],
        "neg-trailing": ["evidence.malformed"],
        "neg-truncated": ["evidence.malformed"],
        "neg-magic-signed": ["tpm.quote.magic"],
        "neg-type-certify-signed": ["tpm.quote.bank", "tpm.quote.type"],
    ]

    @Test(arguments: rows)
    func everyVectorHasItsVerdictAndItsFacts(vector: SharedVector) throws {
        var policy = AzureVectorTests.anyImage
        let json = try Self.evidence(vector, naming: &policy)
        var result = appraise(EvidenceEnvelope(platform: "vtpm", evidence: json), policy: policy, now: nil)
        #expect(result.reasons == Self.codes[vector.id] ?? [], "\(result.lines.map(\.compared))")
        if vector.id == "gce-nononce-sha1" {
            policy.tpm.acceptSHA1BankUnsafely = true
            result = appraise(EvidenceEnvelope(platform: "vtpm", evidence: json), policy: policy, now: nil)
        }
        if vector.id == "neg-nonce" {
            let wanted = try Hex.decode(#require(vector.json["args"]?["expected_nonce"]?.stringValue))
            #expect(result.claimedBinding?.bytes != wanted && vector.isInvalid)
            return
        }
        #expect(vector.isInvalid == !result.isAccepted)
        guard result.reasons != ["evidence.malformed"] else { return }
        let reasons = Set(result.reasons)
        _ = vector.compare([
            "overall_valid": .bool(result.isAccepted),
            "signature_valid": .bool(!reasons.contains("tpm.quote.signature")),
            "magic_ok": .bool(!reasons.contains("tpm.quote.magic")),
            "is_quote": .bool(!reasons.contains("tpm.quote.type")),
        ])
        if !reasons.contains("tpm.quote.type") {
            _ = vector.compare(["pcr_digest_match": .bool(!reasons.contains("tpm.quote.digest"))])
        }
        if let extraData = vector.expected["extra_data"]?.stringValue {
            #expect(result.claimedBinding?.bytes == (try Hex.decode(extraData)))
        }
    }

    /// The vectors have keys as X.509 writes them, which are put into a TPM's structure and named by the policy.
    private static func evidence(_ vector: SharedVector, naming policy: inout AppraisalPolicy) throws -> JSONValue {
        var signature = try vector.bytes("sig")
        if vector.json["args"]?["sig_format"]?.stringValue == "raw-rsassa-sha256" {
            signature = TPMSignature(hash: .sha256, value: .rsassa(signature)).encoded
        }
        let info = try PEM.decode(try vector.bytes("key"), label: "PUBLIC KEY")[0]
        let area = TPMBytes.publicArea(of: info, scheme: UInt16(signature[0]) << 8 | UInt16(signature[1]))
        let key = try TPMPublic(decoding: area)
        #expect(key.subjectPublicKeyInfo == info)
        policy.tpm.attestationKeyNames = [key.name]
        let pcrs = try JSONValue(parsing: vector.bytes("pcrs"))
        let banks = (pcrs.objectValue ?? [:]).map { ($0.key.lowercased(), $0.value) }
        return [
            "version": 1,
            "tpm_quote": [
                "message": .string(Hex.encode(try vector.bytes("msg"))), "signature": .string(Hex.encode(signature)),
                "pcrs": .object(Dictionary(uniqueKeysWithValues: banks)),
            ],
            "ak_public": .string(Base64.encode(area)),
        ]
    }

    @Test func allOfThemAreThere() {
        #expect(Self.rows.count == 21)
        let refused = Set(Self.rows.filter(\.isInvalid).map(\.id))
        #expect(refused == Set(Self.codes.keys).subtracting(["gce-nononce-sha1"]).union(["neg-nonce"]))
    }
}

/// A machine that was booted from a known image, with a software TPM.
@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct TPMMachineVectorTests {
    private static let now = CivilTime(year: 2026, month: 12, day: 1, hour: 0, minute: 0, second: 0).secondsSince1970

    private static func file(_ name: String) throws -> [UInt8] { try SharedVectors.bytes("measured-vm/tpm/\(name)") }
    private static func facts() throws -> JSONValue { try JSONValue(parsing: file("expected.json")) }

    private static func registers(_ member: String) throws -> [Int: [UInt8]] {
        var registers: [Int: [UInt8]] = [:]
        for (name, value) in try #require(facts()[member]?.objectValue) {
            registers[try #require(Int(name))] = try Hex.decode(#require(value.stringValue))
        }
        return registers
    }

    private static func evidence(_ kind: String, log: String? = "eventlog.bin") throws -> TPMEvidence {
        let quote = try TPMAttest(decoding: file("\(kind).attest"))
        var values = TPMPCRValues()
        let observed = try registers("observed_pcrs")
        for register in quote.quote?.selections.first?.registers ?? [] {
            values[.sha256, register] = observed[register]
        }
        return try TPMEvidence(
            quote: quote, signature: TPMSignature(decoding: file("\(kind).tpmt_signature")), registers: values,
            attestationKey: TPMPublic(decodingSized: file("\(kind).ak.tpm2b_public")),
            endorsementChain: TPMEvidence.Chain(
                certificate: file("ek-\(kind == "rsa" ? "rsa2048" : "p384").crt.der"),
                issuers: [file("ek-intermediate.crt.der")]),
            eventLogBytes: try log.map { try file($0) })
    }

    private static func policy() throws -> AppraisalPolicy {
        var policy = AppraisalPolicy()
        let expected = try registers("expected_pcrs").map { ("PCR\($0.key)", $0.value) }
        policy.knownImages = [
            KnownImage(
                platform: .vtpm, name: "cupel-guest", version: "0",
                registers: Dictionary(uniqueKeysWithValues: expected))
        ]
        policy.tpm.trustedCertificates = [try file("ek-root.crt.der")]
        return policy
    }

    @Test(arguments: ["ecc", "rsa"])
    func theMachineIsTheExpectedOne(kind: String) throws {
        let evidence = try Self.evidence(kind)
        #expect(evidence.attestationKey.name == (try Self.file("\(kind).ak.name")))
        let pem = try PEM.decode(Self.file("\(kind).ak.pem"), label: "PUBLIC KEY")
        #expect(pem == [try #require(evidence.attestationKey.subjectPublicKeyInfo)])
        var policy = try Self.policy()
        policy.tpm.attestationKeyNames = [evidence.attestationKey.name]
        let result = appraise(evidence.envelope, policy: policy, now: Self.now)
        #expect(result.reasons == [], "\(result.lines.map(\.compared))")
        #expect(Hex.encode(result.claimedBinding?.bytes ?? []) == (try Self.facts()["nonce"]?.stringValue))
        #expect(result.lines.contains { $0.name == "event log" && $0.status == .passed })
    }

    @Test(arguments: ["ecc", "rsa"])
    func itsEndorsementCertificateTiesNothing(kind: String) throws {
        let evidence = try Self.evidence(kind)
        var policy = try Self.policy()
        #expect(appraise(evidence.envelope, policy: policy, now: Self.now).reasons == ["tpm.key.unbound"])
        policy.tpm.acceptUnboundAttestationKeyUnsafely = true
        let result = appraise(evidence.envelope, policy: policy, now: Self.now)
        #expect(result.reasons == [] && result.caveats.contains("that a TPM was involved at all"))
        policy.tpm.trustedCertificates = [try Self.file("ek-intermediate.crt.der")]
        #expect(appraise(evidence.envelope, policy: policy, now: Self.now).reasons == [])
        policy.tpm.trustedCertificates = [try SharedVectors.bytes("intel-collateral/intel-sgx-root-ca.der")]
        #expect(appraise(evidence.envelope, policy: policy, now: Self.now).reasons == ["tpm.certificate.path"])
        policy.tpm.trustedCertificates = [try Self.file("ek-root.crt.der")]
        #expect(appraise(evidence.envelope, policy: policy, now: 0).reasons == ["tpm.certificate.dates"])
    }

    @Test func itsEndorsementKeyIsTheCertificates() throws {
        let key = try TPMPublic(decodingSized: Self.file("ek-rsa2048.tpm2b_public"))
        #expect(try Certificate(der: Self.file("ek-rsa2048.crt.der")).publicKeyInfo == key.subjectPublicKeyInfo)
        #expect(key.attributes.contains(.decrypt) && !key.attributes.contains(.attestationKey))
    }

    @Test func theLogOfAnotherBootIsRefused() throws {
        let evidence = try Self.evidence("rsa", log: "eventlog-direct-kernel-1024M.bin")
        var policy = try Self.policy()
        policy.tpm.attestationKeyNames = [evidence.attestationKey.name]
        #expect(appraise(evidence.envelope, policy: policy, now: nil).reasons == ["tpm.event-log"])
    }

    @Test(arguments: ["ecc", "rsa"])
    func noChangedByteOfAQuoteIsAccepted(kind: String) throws {
        let evidence = try Self.evidence(kind, log: nil)
        var policy = try Self.policy()
        policy.tpm.attestationKeyNames = [evidence.attestationKey.name]
        for (field, bytes) in [("message", evidence.quote.bytes), ("signature", evidence.signature.encoded)] {
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 1 << UInt8(index % 8)
                var quote = try #require(evidence.json["tpm_quote"]?.objectValue)
                quote[field] = .string(Hex.encode(changed))
                var members = try #require(evidence.json.objectValue)
                members["tpm_quote"] = .object(quote)
                let envelope = EvidenceEnvelope(platform: "vtpm", evidence: .object(members))
                #expect(!appraise(envelope, policy: policy, now: nil).isAccepted, "\(field) byte \(index)")
            }
        }
    }
}
