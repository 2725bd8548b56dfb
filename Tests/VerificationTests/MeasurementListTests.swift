// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import StrictJSON
import Testing
import Verification

/// Keys of the tests' own, and lists signed by them.
struct ListSigner {
    let ed25519: Curve25519.Signing.PrivateKey
    let p256 = P256.Signing.PrivateKey()

    init() throws {
        ed25519 = try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 5, count: 32))
    }

    var key: VerificationKey {
        get throws { try VerificationKey(ed25519: Array(ed25519.publicKey.rawRepresentation)) }
    }

    var p256Key: VerificationKey {
        get throws { try VerificationKey(publicKeyInfo: Array(p256.publicKey.derRepresentation)) }
    }

    static let register = String(repeating: "ab", count: 48)

    static func list(
        issued: String = "2026-01-01T00:00:00Z", expires: String? = "2027-01-01T00:00:00Z", register: String = register
    ) -> JSONValue {
        var members: [String: JSONValue] = [
            "version": 1, "issued": .string(issued),
            "images": [
                [
                    "platform": "snp", "name": "cupel-guest", "version": "1.2.0",
                    "registers": ["MEASUREMENT": .string(register)],
                ]
            ],
        ]
        members["expires"] = expires.map(JSONValue.string)
        return .object(members)
    }

    func sign(
        _ payload: [UInt8] = list().canonicalBytes, type: String = MeasurementList.payloadType, keyID: String? = nil
    ) throws -> DSSEEnvelope {
        let unsigned = DSSEEnvelope(payloadType: type, payload: payload, signatures: [])
        let signature = Array(try ed25519.signature(for: unsigned.preAuthenticationEncoding))
        return DSSEEnvelope(
            payloadType: type, payload: payload,
            signatures: [DSSEEnvelope.Signature(keyID: keyID, bytes: signature)])
    }
}

@Suite struct MeasurementListTests {
    private static let now: Int64 = 1_780_000_000

    private static func open(_ envelope: DSSEEnvelope, at time: Int64? = now) throws -> MeasurementList {
        try MeasurementList(signed: envelope.json.canonicalBytes, keys: [ListSigner().key], at: time)
    }

    @Test func aSignedListIsRead() throws {
        let list = try Self.open(ListSigner().sign())
        #expect(list.issued == "2026-01-01T00:00:00Z" && list.expires == "2027-01-01T00:00:00Z")
        #expect(
            list.images == [
                KnownImage(
                    platform: .snp, name: "cupel-guest", version: "1.2.0",
                    registers: ["MEASUREMENT": [UInt8](repeating: 0xAB, count: 48)])
            ])
        #expect(list.canonicalBytes == ListSigner.list().canonicalBytes)
    }

    @Test func aListWithoutAnEndIsRead() throws {
        #expect(try Self.open(ListSigner().sign(ListSigner.list(expires: nil).canonicalBytes)).expires == nil)
    }

    @Test func anyKeyThatIsNamedMaySign() throws {
        let signer = try ListSigner()
        var envelope = try signer.sign()
        let message = envelope.preAuthenticationEncoding
        let signature = Array(try signer.p256.signature(for: message).derRepresentation)
        envelope = DSSEEnvelope(
            payloadType: envelope.payloadType, payload: envelope.payload,
            signatures: [.init(keyID: nil, bytes: [1, 2, 3]), .init(keyID: "unknown", bytes: signature)])
        let bytes = envelope.json.canonicalBytes
        #expect(throws: Never.self) { try MeasurementList(signed: bytes, keys: [signer.key, signer.p256Key], at: nil) }
        #expect(throws: PolicyError.self) { try MeasurementList(signed: bytes, keys: [signer.key], at: nil) }
        #expect(throws: PolicyError.self) { try MeasurementList(signed: bytes, keys: [], at: nil) }
    }

    @Test func noReleaseKeyIsBuiltInYet() { #expect(VerificationKey.cupelReleases.isEmpty) }

    /// A list that is signed and still refused, and part of the reason.
    @Test(
        arguments: [
            (ListSigner.list(issued: "2026-01-01"), "such as"), (ListSigner.list(expires: "never"), "such as"),
            (ListSigner.list(expires: "2026-01-01T00:00:00Z"), "is not after"),
            (ListSigner.list(register: "abab"), "96 hexadecimal digits"),
            (["version": 1, "issued": "2026-01-01T00:00:00Z"], "'images' is missing"),
            (["version": 1, "issued": "2026-01-01T00:00:00Z", "images": []], "a list with at least one"),
            (["version": 2, "issued": "2026-01-01T00:00:00Z", "images": [1]], "from 1 to 1"),
            (["version": 1, "images": [1]], "'issued' is missing"),
            (["version": 1, "issued": "2026-01-01T00:00:00Z", "images": [1]], "keys with values expected"),
            (["version": 1, "issued": "2026-01-01T00:00:00Z", "images": [], "more": 1], "no such key"),
            ([1], "keys with"),
        ] as [(JSONValue, String)])
    func aSignedListOfAnotherFormIsRefused(payload: JSONValue, reason: String) throws {
        let error = try #require(throws: PolicyError.self) { try Self.open(ListSigner().sign(payload.canonicalBytes)) }
        #expect(error.reason.contains(reason), "\(error)")
    }

    @Test func aPayloadThatIsNotCanonicalIsRefused() throws {
        let payload = ListSigner.list().canonicalBytes + [0x0A]
        let error = try #require(throws: PolicyError.self) { try Self.open(ListSigner().sign(payload)) }
        #expect(error.reason.contains("canonical"))
    }

    @Test func anotherPayloadTypeIsRefused() throws {
        let envelope = try ListSigner().sign(type: "application/vnd.in-toto+json")
        #expect(throws: PolicyError.self) { try Self.open(envelope) }
    }

    @Test func datesAreJudged() throws {
        let envelope = try ListSigner().sign()
        let end: Int64 = 1_798_761_600
        #expect(throws: Never.self) { try Self.open(envelope, at: end - 1) }
        #expect(throws: Never.self) { try Self.open(envelope, at: nil) }
        #expect(try #require(throws: PolicyError.self) { try Self.open(envelope, at: end) }.key == "expires")
        let start: Int64 = 1_767_225_600
        #expect(throws: Never.self) { try Self.open(envelope, at: start - 600) }
        #expect(try #require(throws: PolicyError.self) { try Self.open(envelope, at: start - 601) }.key == "issued")
    }

    /// Every single bit of payload, type and signature.
    @Test func noFlippedBitIsAccepted() throws {
        let good = try ListSigner().sign()
        func refused(_ payload: [UInt8], _ type: String, _ signature: [UInt8]) -> Bool {
            let changed = DSSEEnvelope(
                payloadType: type, payload: payload, signatures: [.init(keyID: nil, bytes: signature)])
            return (try? Self.open(changed)) == nil
        }
        let signature = good.signatures[0].bytes
        for bit in 0..<good.payload.count * 8 {
            var payload = good.payload
            payload[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(refused(payload, good.payloadType, signature), "payload bit \(bit)")
        }
        for bit in 0..<signature.count * 8 {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(refused(good.payload, good.payloadType, changed), "signature bit \(bit)")
        }
    }

    @Test func aWrittenListBecomesTheSignedOne() throws {
        let text = """
            # of people
            version: 1
            expires: "2027-01-01T00:00:00Z"
            images:
              - platform: snp
                name: cupel-guest
                version: "1.2.0"
                registers:
                  MEASUREMENT: \(ListSigner.register.uppercased())
            """
        let list = try MeasurementList(text: Array(text.utf8), issued: "2026-01-01T00:00:00Z")
        #expect(list.canonicalBytes == ListSigner.list().canonicalBytes)
        let json = try MeasurementList(text: list.canonicalBytes, issued: "2030-01-01T00:00:00Z")
        #expect(json == list)
    }

    @Test func policiesOpenTheListsThatTheyName() throws {
        let signer = try ListSigner()
        let key = Hex.encode(signer.ed25519.publicKey.rawRepresentation)
        let files = ["a.json": try signer.sign().json.canonicalBytes, "k": Array(key.utf8)]
        for named in [key, "k"] {
            let policy = try PolicyFileTests.policy("measurements: {lists: a.json, keys: \"\(named)\"}", files: files)
            #expect(policy.appraisal.knownImages.count == 1)
        }
        let file = try PolicyFile(parsing: Array("version: 1\nmeasurements: {lists: [a, b], keys: [c, a]}".utf8))
        #expect(file.references == ["a", "b", "c"])
        for text in ["{lists: a.json}", "{lists: other, keys: k}", "{lists: a.json, keys: other}"] {
            let error = try #require(throws: PolicyError.self) {
                try PolicyFileTests.policy("measurements: \(text)", files: files)
            }
            #expect(error.line == 2 && error.key.hasPrefix("measurements."))
        }
    }
}
