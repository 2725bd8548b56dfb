// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import Inspection
import StrictJSON

extension FuzzTarget {
    static let evidence = hardware + tpm + envelopes

    private static let hardware = [
        FuzzTarget("snp-report", { bytes throws(MalformedBytes) in try SNPReport(decoding: bytes) }) { bytes, report in
            expect(report.encoded == bytes, "encoding gives other bytes")
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try SNPReport(decoding: bytes) }
        },
        FuzzTarget(
            "snp-certificate-table", { bytes throws(MalformedBytes) in try SNPCertificateTable(decoding: bytes) }
        ) { bytes, table in
            for entry in table.entries {
                expect(bytes.dropFirst(Int(entry.offset)).starts(with: entry.content), "content from another place")
            }
            for kind in SNPCertificateTable.Kind.allCases { _ = table.content(kind) }
            // The host's page is longer than its content.
            let padded = try? SNPCertificateTable(decoding: bytes + [0])
            expect(padded == table, "padding changes the table")
        },
        FuzzTarget("intel-quote", { bytes throws(MalformedBytes) in try IntelQuote(decoding: bytes) }) { bytes, quote in
            let encoded = quote.encoded
            expect(encoded + quote.padding == bytes, "encoding gives other bytes")
            expect(encoded.starts(with: quote.signedBytes), "the signed bytes are not the beginning")
            expectExactLength(encoded) { bytes throws(MalformedBytes) in
                let quote = try IntelQuote(decoding: bytes)
                guard quote.padding.isEmpty else { throw MalformedBytes(format: "quote", offset: 0, reason: "padding") }
                return quote
            }
        },
        FuzzTarget("tdx-module-report", { bytes throws(MalformedBytes) in try TDXModuleReport(decoding: bytes) }) {
            bytes, report in
            expect(Array(bytes[128..<192]) == report.reportData, "report data from another place")
            expect((try? TDXModuleReport(decoding: bytes + [1])) == nil, "a byte after the end is accepted")
        },
        FuzzTarget("azure-hcl-report", { bytes throws(MalformedBytes) in try AzureHCLReport(decoding: bytes) }) {
            bytes, report in
            let end = 1236 + report.variableData.count
            expect(Array(bytes[1236..<end]) == report.variableData, "variable data from another place")
            expect(Array(bytes[end...]) == report.padding, "bytes that are neither data nor padding")
            _ = report.variableDataDigest
            _ = try? AzureRuntimeData(parsing: report.variableData)
            _ = try? SNPReport(decoding: report.hardwareReport)
            _ = try? TDXModuleReport(decoding: report.hardwareReport)
        },
        FuzzTarget("azure-runtime-data", { bytes throws(MalformedBytes) in try AzureRuntimeData(parsing: bytes) }) {
            _, runtime in
            _ = runtime.attestationKey
        },
    ]

    private static let tpm = [
        FuzzTarget("tpm-attest", { bytes throws(MalformedBytes) in try TPMAttest(decoding: bytes) }) { bytes, attest in
            expect(attest.encoded == bytes && attest.bytes == bytes, "encoding gives other bytes")
            guard let quote = attest.quote else { return }
            for selection in quote.selections { _ = selection.registers }
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try TPMAttest(decoding: bytes) }
        },
        FuzzTarget("tpm-signature", { bytes throws(MalformedBytes) in try TPMSignature(decoding: bytes) }) {
            bytes, signature in
            expect(signature.encoded == bytes, "encoding gives other bytes")
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try TPMSignature(decoding: bytes) }
        },
        FuzzTarget("tpm-public", { bytes throws(MalformedBytes) in try TPMPublic(decoding: bytes) }) { bytes, key in
            expect(key.bytes == bytes, "the structure is not kept as it came")
            _ = key.name
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try TPMPublic(decoding: bytes) }
            let size = [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)]
            let sized = try? TPMPublic(decodingSized: size + bytes)
            expect(bytes.count > 0xFFFF || sized == key, "the same with its size reads differently")
        },
        FuzzTarget("event-log", { bytes throws(MalformedBytes) in try TCGEventLog(decoding: bytes) }) { bytes, log in
            let size = log.events.reduce(0) { $0 + $1.content.count + 12 }
            expect(size <= bytes.count, "more events than bytes")
            for bank in log.banks { _ = log.replayedRegisters(of: bank) }
        },
    ]

    private static let envelopes = [
        FuzzTarget(
            "evidence-envelope", { bytes throws(MalformedBytes) in try EvidenceEnvelope(parsing: bytes) }
        ) { _, envelope in
            let again = try? EvidenceEnvelope(parsing: envelope.canonicalBytes)
            expect(again == envelope, "the canonical form reads differently")
            readAll(envelope)
        },
        FuzzTarget("evidence-file", { bytes throws(MalformedBytes) in try file(bytes) }) { _, file in
            guard let envelope = try? file.envelope else { return }
            let again = try? EvidenceEnvelope(parsing: envelope.canonicalBytes)
            expect(again == envelope, "the envelope reads differently")
        },
        FuzzTarget("inspected-file", { bytes throws(MalformedBytes) in try inspected(bytes) }) { _, file in
            expect((try? JSONValue(parsing: file.json.canonicalBytes)) != nil, "what is shown is no JSON")
        },
    ]

    /// A file as `cupel inspect` takes it: also certificates, lists and collateral.
    private static func inspected(_ bytes: [UInt8]) throws(MalformedBytes) -> InspectedFile {
        guard let file = try InspectedFile(recognising: bytes) else {
            throw MalformedBytes(format: "file", offset: 0, reason: "not recognised")
        }
        return file
    }

    /// A file of evidence as `cupel verify --evidence` takes it: recognised, then decoded.
    private static func file(_ bytes: [UInt8]) throws(MalformedBytes) -> EvidenceFile {
        guard let format = EvidenceFormat(recognising: bytes) else {
            throw MalformedBytes(format: "evidence", offset: 0, reason: "not recognised")
        }
        return try EvidenceFile(decoding: bytes, as: format)
    }

    /// Every platform's reader, whatever the envelope calls itself.
    private static func readAll(_ envelope: EvidenceEnvelope) {
        _ = try? SNPEvidence(envelope.evidence)
        _ = try? TDXEvidence(envelope.evidence)
        _ = try? AzureEvidence(envelope.evidence)
        _ = try? TPMEvidence(envelope.evidence)
        _ = try? SoftwareEvidence(envelope)
    }
}
