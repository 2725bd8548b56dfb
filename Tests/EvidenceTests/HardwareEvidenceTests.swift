// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import Testing

@Suite struct HardwareEvidenceTests {
    private static let report = JSONValue.string(Base64.encode(SNPReportTests.sample))
    private static let quote = JSONValue.string(Base64.encode(IntelQuoteTests.Sample().bytes))

    @Test func aReportIsReadWithAndWithoutItsCertificates() throws {
        let bare = try SNPEvidence(["attestation_report": Self.report])
        #expect(bare.endorsementKey == nil && bare.issuers.isEmpty && bare.report.encoded == SNPReportTests.sample)
        let whole = try SNPEvidence([
            "attestation_report": Self.report, "cert_chain": ["vcek": "AQ==", "ask": "Ag==", "ark": "Aw=="],
        ])
        #expect(whole.endorsementKey == [1] && whole.issuers == [[2], [3]])
        #expect(
            try SNPEvidence(["attestation_report": Self.report, "cert_chain": ["vlek": "AQ=="]]).endorsementKey == [1])
    }

    @Test(
        arguments: [
            [:], [], ["attestation_report": ""], ["attestation_report": 1],
            ["attestation_report": report, "more": 1], ["attestation_report": report, "cert_chain": []],
            ["attestation_report": report, "cert_chain": ["vcek": "AQ==", "vlek": "AQ=="]],
            ["attestation_report": report, "cert_chain": ["vcek": "AQ"]],
            ["attestation_report": report, "cert_chain": ["pck": "AQ=="]],
            [
                "attestation_report": report,
                "cert_chain": ["ask": .string(Base64.encode([UInt8](repeating: 0, count: 16_385)))],
            ],
        ] as [JSONValue])
    func reportsOfAnotherFormAreRefused(json: JSONValue) {
        #expect(throws: MalformedBytes.self) { try SNPEvidence(json) }
    }

    @Test func aQuoteIsReadWithAndWithoutItsLog() throws {
        let sample = IntelQuoteTests.Sample().bytes
        #expect(try TDXEvidence(["quote": Self.quote]).quote.encoded == sample)
        #expect(try TDXEvidence(["quote": Self.quote]).eventLog == nil)
        let log = JSONValue.string(Base64.encode([UInt8](repeating: 0, count: 32)))
        #expect(try TDXEvidence(["quote": Self.quote, "cc_eventlog": log]).eventLog?.events.count == 1)
    }

    @Test(
        arguments: [
            [:], ["quote": "AQ=="], ["quote": quote, "more": 1], ["quote": quote, "cc_eventlog": "AQ=="],
            ["quote": quote, "cc_eventlog": 1],
        ] as [JSONValue])
    func quotesOfAnotherFormAreRefused(json: JSONValue) {
        #expect(throws: MalformedBytes.self) { try TDXEvidence(json) }
    }
}
