// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import Testing

@Suite struct TPMEvidenceTests {
    private static let quote =
        "ff5443478018" + "00020a0b" + "0003010203" + "0000000000000100" + "00000004" + "00000005"
        + "01" + "0000000000000200" + "00000001" + "000b03810000" + "0002d1d2"
    private static let key: [UInt8] =
        [0, 1, 0, 0x0B, 0, 5, 0, 0x72, 0, 0, 0, 0x10, 0, 0x14, 0, 0x0B, 0, 16, 0, 0, 0, 0, 0, 2, 0xC0, 1]
    private static let value = String(repeating: "ab", count: 32)

    private static func json(_ change: (inout [String: JSONValue]) -> Void = { _ in }) -> JSONValue {
        var members: [String: JSONValue] = [
            "version": 1,
            "tpm_quote": [
                "message": .string(quote), "signature": "0014000b00020102",
                "pcrs": ["sha256": ["0": .string(value), "7": .string(value)]],
            ],
            "ak_public": .string(Base64.encode(key)), "ak_certificate": "AQI=", "ak_chain": ["Aw=="],
            "ek_certificate": "BA==",
        ]
        change(&members)
        return .object(members)
    }

    @Test func itIsReadAndWrittenAgain() throws {
        let evidence = try TPMEvidence(Self.json())
        #expect(evidence.quote.extraData == [1, 2, 3] && evidence.attestationKey.bytes == Self.key)
        #expect(evidence.signature.value == .rsassa([1, 2]))
        #expect(evidence.registers[.sha256, 7] == [UInt8](repeating: 0xAB, count: 32) && evidence.registers.count == 2)
        #expect(evidence.attestationChain == TPMEvidence.Chain(certificate: [1, 2], issuers: [[3]]))
        #expect(evidence.endorsementChain == TPMEvidence.Chain(certificate: [4]) && evidence.eventLog == nil)
        #expect(evidence.json == Self.json())
        #expect(evidence.envelope.platform == "vtpm")
    }

    @Test func aLogIsKeptAsItCame() throws {
        let log = [UInt8](repeating: 0, count: 32)
        let evidence = try TPMEvidence(Self.json { $0["event_log"] = .string(Base64.encode(log)) })
        #expect(evidence.eventLogBytes == log && evidence.eventLog?.events.count == 1)
        #expect(evidence.json["event_log"]?.stringValue == Base64.encode(log))
    }

    @Test(arguments: ["version", "tpm_quote", "ak_public"])
    func aFieldThatIsNeededIsMissed(field: String) {
        #expect(throws: MalformedBytes.self) { try TPMEvidence(Self.json { $0[field] = nil }) }
    }

    @Test(
        arguments: [
            ("another version", "version", 2), ("an unknown field", "more", 1),
            ("a chain without its leaf", "ak_certificate", nil),
            ("no list", "ak_chain", "Aw=="), ("no text", "ak_chain", [1]),
            ("a long chain", "ak_chain", .array([JSONValue](repeating: "Aw==", count: 9))),
            ("a large certificate", "ek_certificate", .string(String(repeating: "AAAA", count: 5462))),
            ("no key", "ak_public", "AA=="), ("no base64", "ak_public", "?"), ("no log", "event_log", "AA=="),
            ("no object", "tpm_quote", 1), ("no quote", "tpm_quote", ["message": "00", "signature": "", "pcrs": [:]]),
        ] as [(String, String, JSONValue?)])
    func whatIsNoEvidenceIsRefused(name: String, field: String, value: JSONValue?) {
        #expect(throws: MalformedBytes.self) { try TPMEvidence(Self.json { $0[field] = value }) }
    }

    @Test(
        arguments: [
            1, ["md5": ["0": "00"]], ["SHA256": [:]], ["sha256": 1], ["sha256": ["0": 1]], ["sha256": ["0": "ab"]],
            ["sha256": ["32": .string(value)]], ["sha256": ["07": .string(value)]], ["sha256": ["-1": .string(value)]],
            ["sha384": ["0": .string(value)]],
        ] as [JSONValue])
    func whatAreNoValuesIsRefused(json: JSONValue) {
        #expect(throws: MalformedBytes.self) { try TPMPCRValues(json) }
    }
}
