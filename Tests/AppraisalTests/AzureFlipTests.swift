// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

/// Genuine evidence with one bit changed, at each byte: none is accepted but where nothing signs the byte.
@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct AzureFlipTests {
    struct Part: Sendable, CustomTestStringConvertible {
        let id: String
        let field: String
        /// Bytes that nothing signs, and why.
        let benign: [(bytes: Range<Int>, why: String)]

        var testDescription: String { "\(id), \(field)" }
    }

    static let parts: [Part] = [
        Part(
            id: "az-snp-live", field: "hcl_report",
            benign: [(2346..<2600, "padding after the runtime data, to the size of the vTPM's NV index")]),
        Part(id: "az-snp-live", field: "message", benign: []),
        Part(id: "az-snp-live", field: "signature", benign: []),
        Part(
            id: "az-tdx-live", field: "hcl_report",
            benign: [
                (32..<160, "TDREPORT: a MAC and what it covers, which only the machine itself could check"),
                (224..<544, "TDREPORT: the rest of it, and of the TDX module, of which the quote has its own"),
                (608..<1056, "TDREPORT: of the TD what is not compared, as the quote has its own"),
                (2431..<2600, "padding after the runtime data, to the size of the vTPM's NV index"),
            ]),
        Part(id: "az-tdx-live", field: "message", benign: []),
        Part(id: "az-tdx-live", field: "signature", benign: []),
    ]

    @Test(arguments: parts)
    func noChangedByteIsAccepted(part: Part) throws {
        let vector = try #require(AzureVectorTests.rows.first { $0.id == part.id })
        let envelope = try AzureVectorTests.envelope(vector)
        let collateral = try AzureVectorTests.collateral()
        let bytes = try Self.bytes(envelope.evidence, part.field)
        var accepted: [Int] = []
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            let result = appraise(
                EvidenceEnvelope(
                    platform: envelope.platform, evidence: try Self.with(envelope.evidence, part.field, changed)),
                policy: AzureVectorTests.anyImage, collateral: collateral, now: TPMScene.now)
            if result.isAccepted { accepted.append(index) }
        }
        #expect(accepted == part.benign.flatMap { Array($0.bytes) })
    }

    @Test(arguments: ["az-snp-live", "az-tdx-live"])
    func noChangedRegisterIsAccepted(id: String) throws {
        let vector = try #require(AzureVectorTests.rows.first { $0.id == id })
        let envelope = try AzureVectorTests.envelope(vector)
        let collateral = try AzureVectorTests.collateral()
        for register in 0..<24 {
            for byte in [0, 15, 31] {
                var quote = try #require(envelope.evidence["tpm_quote"]?.objectValue)
                var values = try #require(quote["pcrs"]?.arrayValue)
                var value = try Hex.decode(#require(values[register].stringValue))
                value[byte] ^= 1
                values[register] = .string(Hex.encode(value))
                quote["pcrs"] = .array(values)
                var members = try #require(envelope.evidence.objectValue)
                members["tpm_quote"] = .object(quote)
                let result = appraise(
                    EvidenceEnvelope(platform: envelope.platform, evidence: .object(members)),
                    policy: AzureVectorTests.anyImage, collateral: collateral, now: TPMScene.now)
                #expect(result.reasons == ["tpm.quote.digest"])
            }
        }
    }

    private static func bytes(_ evidence: JSONValue, _ field: String) throws -> [UInt8] {
        guard field == "hcl_report" else {
            return try Hex.decode(#require(evidence["tpm_quote"]?[field]?.stringValue))
        }
        return try Base64.decode(#require(evidence[field]?.stringValue), alphabet: .url)
    }

    private static func with(_ evidence: JSONValue, _ field: String, _ bytes: [UInt8]) throws -> JSONValue {
        var members = try #require(evidence.objectValue)
        if field == "hcl_report" {
            members[field] = .string(Base64.encode(bytes, alphabet: .url))
        } else {
            var quote = try #require(members["tpm_quote"]?.objectValue)
            quote[field] = .string(Hex.encode(bytes))
            members["tpm_quote"] = .object(quote)
        }
        return .object(members)
    }
}
