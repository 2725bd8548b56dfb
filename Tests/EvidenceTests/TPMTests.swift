// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite struct TPMTests {
    private static let quote: [UInt8] =
        [0xFF, 0x54, 0x43, 0x47, 0x80, 0x18, 0, 2, 0xA, 0xB, 0, 3, 1, 2, 3]
        + [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 4, 0, 0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 2, 0]
        + [0, 0, 0, 2, 0, 0x0B, 3, 0x81, 0, 0x80, 0, 0x0C, 3, 0, 0x04, 0, 0, 2, 0xD1, 0xD2]

    @Test func aQuoteIsReadFromItsPlaces() throws {
        let attest = try TPMAttest(decoding: Self.quote)
        #expect(attest.isGeneratedByTPM && attest.type == TPMAttest.quoteType)
        #expect(attest.qualifiedSigner == [0xA, 0xB] && attest.extraData == [1, 2, 3])
        #expect(attest.clock == 256 && attest.resetCount == 4 && attest.restartCount == 5 && attest.isClockSafe)
        #expect(attest.firmwareVersion == 512)
        let quote = try #require(attest.quote)
        #expect(quote.selections.map(\.bank) == [.sha256, .sha384])
        #expect(quote.selections.map(\.registers) == [[0, 7, 23], [10]] && quote.pcrDigest == [0xD1, 0xD2])
        #expect(attest.encoded == Self.quote && attest.bytes == Self.quote)
    }

    @Test func somethingElseThanAQuoteIsNotRead() throws {
        var bytes = Self.quote
        bytes[5] = 0x17
        let attest = try TPMAttest(decoding: bytes)
        #expect(attest.quote == nil && attest.encoded == bytes)
        bytes[0] = 0
        #expect(try !TPMAttest(decoding: bytes).isGeneratedByTPM)
    }

    @Test func noPrefixAndNothingLongerIsAQuote() {
        for count in Self.quote.indices {
            #expect(throws: MalformedBytes.self) { try TPMAttest(decoding: Array(Self.quote[..<count])) }
        }
        #expect(throws: MalformedBytes.self) { try TPMAttest(decoding: Self.quote + [0]) }
    }

    /// (what, where, byte)
    @Test(arguments: [
        ("an unsafe clock of 2", 31, 2), ("too many banks", 43, 17), ("an unknown bank", 45, 0x0F),
        ("a bitmap too long", 46, 5), ("a bitmap too short", 46, 2),
    ])
    func whatIsUnknownIsRefused(name: String, place: Int, byte: UInt8) {
        var bytes = Self.quote
        bytes[place] = byte
        #expect(throws: MalformedBytes.self) { try TPMAttest(decoding: bytes) }
    }

    @Test func theDigestIsOverTheSelectedValuesInTheirOrder() throws {
        let quote = try #require(TPMAttest(decoding: Self.quote).quote)
        var values = TPMPCRValues()
        for register in 0..<24 { values[.sha256, register] = [UInt8](repeating: UInt8(register), count: 32) }
        #expect(quote.digest(of: values, by: .sha256) == nil)
        values[.sha384, 10] = [UInt8](repeating: 0xAA, count: 48)
        let bytes = [0, 7, 23].flatMap { [UInt8](repeating: $0, count: 32) } + [UInt8](repeating: 0xAA, count: 48)
        #expect(quote.digest(of: values, by: .sha256) == TPMHashAlgorithm.sha256.digest(of: bytes))
        #expect(quote.digest(of: values, by: .sha1) == TPMHashAlgorithm.sha1.digest(of: bytes))
        #expect(values.count == 25 && values.registers(of: .sha384) == [10])
    }

    @Test(
        arguments: [
            ([0, 0x14, 0, 0x0B, 0, 2, 1, 2], .sha256, .rsassa([1, 2])),
            ([0, 0x16, 0, 0x0C, 0, 1, 9], .sha384, .rsapss([9])),
            ([0, 0x18, 0, 0x04, 0, 1, 7, 0, 2, 5, 6], .sha1, .ecdsa(r: [7], s: [5, 6])),
        ] as [([UInt8], TPMHashAlgorithm, TPMSignature.Value)])
    func aSignatureComesBack(bytes: [UInt8], hash: TPMHashAlgorithm, value: TPMSignature.Value) throws {
        let signature = try TPMSignature(decoding: bytes)
        #expect(signature == TPMSignature(hash: hash, value: value) && signature.encoded == bytes)
        for count in bytes.indices {
            #expect(throws: MalformedBytes.self) { try TPMSignature(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: MalformedBytes.self) { try TPMSignature(decoding: bytes + [0]) }
    }

    @Test(
        arguments: [[0, 0x15, 0, 0x0B, 0, 0], [0, 0x14, 0, 0x10, 0, 0], [0, 0x1A, 0, 0x0B, 0, 0, 0, 0]] as [[UInt8]])
    func anUnknownSignatureIsRefused(bytes: [UInt8]) {
        #expect(throws: MalformedBytes.self) { try TPMSignature(decoding: bytes) }
    }

    private static let rsaKey: [UInt8] =
        [0, 1, 0, 0x0B, 0, 5, 0, 0x72, 0, 0, 0, 0x10, 0, 0x14, 0, 0x0B, 0, 16, 0, 0, 0, 0, 0, 2, 0xC0, 1]
    private static let eccKey: [UInt8] =
        [0, 0x23, 0, 0x0B, 0, 5, 0, 0x72, 0, 1, 0xAB, 0, 0x10, 0, 0x18, 0, 0x0B, 0, 3, 0, 0x10, 0, 1, 4, 0, 1, 5]

    @Test func keysAreReadFromTheirPlaces() throws {
        let rsa = try TPMPublic(decoding: Self.rsaKey)
        #expect(rsa.key == .rsa(modulus: [0xC0, 1], exponent: 65_537) && rsa.nameAlgorithm == .sha256)
        #expect(rsa.attributes.contains(.attestationKey) && !rsa.attributes.contains(.decrypt))
        #expect(rsa.scheme?.algorithm == 0x14 && rsa.scheme?.hash == .sha256)
        #expect(rsa.name == [0, 0x0B] + TPMHashAlgorithm.sha256.digest(of: Self.rsaKey))
        let ecc = try TPMPublic(decoding: Self.eccKey)
        #expect(ecc.key == .ecc(curve: 3, x: [4], y: [5]) && ecc.authPolicy == [0xAB])
        #expect(try TPMPublic(decodingSized: [0, UInt8(Self.eccKey.count)] + Self.eccKey) == ecc)
    }

    @Test(arguments: [rsaKey, eccKey])
    func noPrefixAndNothingLongerIsAKey(bytes: [UInt8]) {
        for count in bytes.indices {
            #expect(throws: MalformedBytes.self) { try TPMPublic(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: MalformedBytes.self) { try TPMPublic(decoding: bytes + [0]) }
        #expect(throws: MalformedBytes.self) { try TPMPublic(decodingSized: [0, 1] + bytes) }
    }

    @Test func aModulusOfAnotherLengthIsRefused() {
        var bytes = Self.rsaKey
        bytes[17] = 24
        #expect(throws: MalformedBytes.self) { try TPMPublic(decoding: bytes) }
    }
}

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct TPMVectorTests {
    static let ofTheAppraisal: Set<String> = [
        "signature_valid", "overall_valid", "nonce_match", "sig_alg", "sig_hash", "sig_trailing",
    ]

    @Test(arguments: SharedVector.all("tpm", check: "tpm"))
    func everyFactOfAQuoteIsAsExpected(vector: SharedVector) throws {
        let bytes = try vector.bytes("msg")
        guard vector.expected["parse_error"] != true, vector.id != "neg-trailing" else {
            #expect(throws: MalformedBytes.self) { try TPMAttest(decoding: bytes) }
            return
        }
        let attest = try TPMAttest(decoding: bytes)
        #expect(attest.encoded == bytes)
        var facts = TPMFacts.of(attest)
        if vector.has("pcrs"), let quote = attest.quote {
            let values = try TPMFacts.values(JSONValue(parsing: vector.bytes("pcrs")))
            facts["pcr_digest_match"] = .bool(quote.digest(of: values, by: .sha256) == quote.pcrDigest)
        }
        var left = vector.compare(facts).subtracting(Self.ofTheAppraisal)
        if attest.quote == nil { left.subtract(["pcr_digest_match", "trailing_len"]) }
        #expect(left.isEmpty, "\(left)")
    }

    @Test(arguments: SharedVector.all("tpm", check: "tpm").filter { $0.has("sig") })
    func everySignatureComesBack(vector: SharedVector) throws {
        guard vector.json["args"]?["sig_format"]?.stringValue == "tpmt", vector.expected["sig_alg"] != nil else {
            return
        }
        let bytes = try vector.bytes("sig")
        let signature = try TPMSignature(decoding: bytes)
        let name: String =
            switch signature.value {
            case .rsassa: "RSASSA"
            case .rsapss: "RSAPSS"
            case .ecdsa: "ECDSA"
            }
        _ = vector.compare([
            "sig_alg": .string(name), "sig_hash": .string(signature.hash.description), "sig_trailing": 0,
        ])
        #expect(signature.encoded == bytes)
    }

    @Test func allOfThemAreThere() { #expect(SharedVector.all("tpm", check: "tpm").count == 22) }
}

/// The facts of the vectors' index that a TPM's structure alone gives.
enum TPMFacts {
    static func of(_ attest: TPMAttest) -> [String: JSONValue] {
        var facts: [String: JSONValue] = [
            "magic": .string(number(attest.magic)), "type": .string(number(attest.type)),
            "qualified_signer": .string(Hex.encode(attest.qualifiedSigner)),
            "extra_data": .string(Hex.encode(attest.extraData)), "clock": .integer(Int(attest.clock)),
            "reset_count": .integer(Int(attest.resetCount)), "restart_count": .integer(Int(attest.restartCount)),
            "safe": attest.isClockSafe ? 1 : 0, "firmware_version": .string(number(attest.firmwareVersion)),
            "magic_ok": .bool(attest.isGeneratedByTPM), "is_quote": .bool(attest.quote != nil),
        ]
        guard let quote = attest.quote else { return facts }
        facts["trailing_len"] = 0
        facts["pcr_digest"] = .string(Hex.encode(quote.pcrDigest))
        facts["pcr_select"] = .array(
            quote.selections.map {
                ["alg": .string($0.bank.description), "pcrs": .array($0.registers.map { .integer($0) })]
            })
        return facts
    }

    static func values(_ json: JSONValue) throws -> TPMPCRValues {
        var values = TPMPCRValues()
        for (name, registers) in json.objectValue ?? [:] {
            let bank = try #require(TPMHashAlgorithm.allCases.first { $0.description == name })
            for (register, value) in registers.objectValue ?? [:] {
                values[bank, try #require(Int(register))] = try Hex.decode(#require(value.stringValue))
            }
        }
        return values
    }

    private static func number<Value: FixedWidthInteger>(_ value: Value) -> String {
        var writer = ByteWriter()
        writer.bigEndian(value)
        return "0x" + Hex.encode(writer.bytes)
    }
}
