// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import StrictJSON
import TestVectors
import Testing
import Verification

@Suite struct DSSEEnvelopeTests {
    /// The example of the specification's protocol.md.
    @Test func whatIsSignedIsTheSpecificationsExample() {
        let envelope = DSSEEnvelope(
            payloadType: "http://example.com/HelloWorld", payload: Array("hello world".utf8), signatures: [])
        #expect(
            String(decoding: envelope.preAuthenticationEncoding, as: UTF8.self)
                == "DSSEv1 29 http://example.com/HelloWorld 11 hello world")
    }

    @Test func lengthsAreOfBytes() {
        let envelope = DSSEEnvelope(payloadType: "\u{E9}", payload: [0xC3, 0xA9], signatures: [])
        #expect(envelope.preAuthenticationEncoding == Array("DSSEv1 2 \u{E9} 2 \u{E9}".utf8))
    }

    @Test func anEnvelopeReadsBack() throws {
        for keyID in [nil, "", "k"] {
            let envelope = try ListSigner().sign(keyID: keyID)
            #expect(try DSSEEnvelope(parsing: envelope.json.canonicalBytes) == envelope)
        }
    }

    @Test func bothAlphabetsAreRead() throws {
        for payload in ["+/+/", "-_-_", "-_8=", "-_8"] {
            let json: JSONValue = ["payload": .string(payload), "payloadType": "t", "signatures": [["sig": "AA=="]]]
            #expect(try DSSEEnvelope(json).payload.starts(with: [0xFB]))
        }
    }

    @Test(
        arguments: [
            [], [:], "x",
            ["payload": "AA==", "payloadType": "t"],
            ["payload": "AA==", "payloadType": "t", "signatures": []],
            ["payload": "AA==", "payloadType": "t", "signatures": [:]],
            ["payload": "AA==", "payloadType": "t", "signatures": [1]],
            ["payload": "AA==", "payloadType": "t", "signatures": [[:]]],
            ["payload": "AA==", "payloadType": "t", "signatures": [["sig": ""]]],
            ["payload": "AA==", "payloadType": "t", "signatures": [["sig": "A"]]],
            ["payload": "AA==", "payloadType": "t", "signatures": [["sig": "AA==", "keyid": 1]]],
            ["payload": "AA==", "payloadType": "t", "signatures": [["sig": "AA==", "cert": ""]]],
            ["payload": "AA==", "payloadType": "t", "signatures": [["sig": "AA=="], ["sig": "AA=="]]],
            ["payload": "AA==", "payloadType": "", "signatures": [["sig": "AA=="]]],
            ["payload": "AA==", "payloadType": 1, "signatures": [["sig": "AA=="]]],
            ["payload": "AB==", "payloadType": "t", "signatures": [["sig": "AA=="]]],
            ["payload": "+_==", "payloadType": "t", "signatures": [["sig": "AA=="]]],
            ["payload": "", "payloadType": "t", "signatures": [["sig": "AA=="]]],
            ["payload": "AA==", "payloadType": "t", "signatures": [["sig": "AA=="]], "more": 1],
        ] as [JSONValue])
    func whatIsNoEnvelopeIsRefused(json: JSONValue) {
        #expect(throws: MalformedBytes.self) { try DSSEEnvelope(json) }
    }

    @Test func tooManySignaturesAreRefused() {
        func json(_ count: Int) -> JSONValue {
            let signatures = (0..<count).map { JSONValue.object(["sig": .string(Base64.encode([UInt8($0)]))]) }
            return ["payload": "AA==", "payloadType": "t", "signatures": .array(signatures)]
        }
        #expect(throws: Never.self) { try DSSEEnvelope(json(64)) }
        #expect(throws: MalformedBytes.self) { try DSSEEnvelope(json(65)) }
    }

    @Test func aHintDoesNotMakeASigner() throws {
        let signer = try ListSigner()
        let envelope = try signer.sign(keyID: signer.p256Key.id.hex)
        #expect(try envelope.signer(among: [signer.p256Key]) == nil)
        #expect(try envelope.signer(among: [signer.p256Key, signer.key]) == signer.key)
    }

    /// The published vectors: signatures by bare keys, and by the keys of Sigstore's certificates.
    @Test(
        .enabled(if: SharedVectors.arePresent, "the shared vectors are not there"),
        arguments: SharedVector.all("statements", check: "dsse"))
    func publishedVectorsAreJudgedAsTheirIndexSays(vector: SharedVector) throws {
        let id = try #require(vector["id"]?.stringValue)
        let expected = try #require(vector["expected"])
        let file = try JSONValue(
            parsing: SharedVectors.bytes("statements/" + #require(vector["files"]?["bundle"]?.stringValue)))
        let envelope: DSSEEnvelope
        do {
            envelope = try DSSEEnvelope(file["dsseEnvelope"] ?? file)
        } catch {
            // No signature at all: nothing to verify.
            #expect(expected["dsse_signature_valid"] == false, "\(id): \(error)")
            return
        }
        let key = try Self.key(of: vector, file)
        #expect(.bool(envelope.signer(among: [key]) != nil) == expected["dsse_signature_valid"], "\(id)")
        #expect(expected["payload_type"] == .string(envelope.payloadType), "\(id)")
        if let count = expected["n_signatures"] { #expect(count == .integer(envelope.signatures.count), "\(id)") }
        if let digest = expected["payload_sha256"] {
            #expect(digest == .string(Digest256(of: envelope.payload).hex), "\(id)")
        }
    }

    private static func key(of vector: SharedVector, _ file: JSONValue) throws -> VerificationKey {
        if let name = vector["files"]?["key"]?.stringValue {
            return try VerificationKey(text: SharedVectors.bytes("statements/\(name)"))
        }
        let material = file["verificationMaterial"]
        let chain = material?["x509CertificateChain"]?["certificates"]?.arrayValue
        let text = material?["certificate"]?["rawBytes"] ?? chain?.first?["rawBytes"]
        let certificate = try Certificate(der: Base64.decode(#require(text?.stringValue)))
        return try VerificationKey(publicKeyInfo: certificate.publicKeyInfo)
    }
}

@Suite struct VerificationKeyTests {
    @Test func keysAreReadInBothForms() throws {
        let signer = try ListSigner()
        let hex = Hex.encode(signer.ed25519.publicKey.rawRepresentation)
        let key = try VerificationKey(text: Array(" \(hex.uppercased())\n".utf8))
        #expect(try key == signer.key && key.algorithm == .ed25519)
        let pem = "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(key.publicKeyInfo))\n-----END PUBLIC KEY-----\n"
        #expect(try VerificationKey(text: Array(pem.utf8)) == key)
        let curve = try VerificationKey(text: Array(signer.p256.publicKey.pemRepresentation.utf8))
        #expect(try curve == signer.p256Key && curve.algorithm == .p256)
        #expect(curve.id == Digest256(of: curve.publicKeyInfo))
    }

    @Test func otherKeysAreRefused() {
        let p384 = P384.Signing.PrivateKey().publicKey
        let twice = P256.Signing.PrivateKey().publicKey.pemRepresentation + "\n"
        for text in ["", "ab", String(repeating: "a", count: 66), "x y", p384.pemRepresentation, twice + twice, "é"] {
            #expect(throws: MalformedBytes.self) { try VerificationKey(text: Array(text.utf8)) }
        }
        #expect(throws: MalformedBytes.self) { try VerificationKey(publicKeyInfo: []) }
    }

    @Test func aSignatureOfAnotherFormIsNone() throws {
        let signer = try ListSigner()
        let raw = try signer.p256.signature(for: [1]).rawRepresentation
        #expect(try !signer.p256Key.isValid(Array(raw), for: [1]))
        #expect(try !signer.key.isValid([], for: [1]) && !signer.p256Key.isValid([], for: [1]))
    }
}
