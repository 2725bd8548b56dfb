// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite struct EvidenceFileTests {
    static let all: [(group: String, check: String, role: String, format: EvidenceFormat)] = [
        ("snp", "snp", "report", .snpReport), ("snp", "snp", "auxblob", .snpCertificateTable),
        ("tdx", "tdx", "quote", .intelQuote), ("azure-snp", "hcl", "hcl", .hclReport),
        ("azure-tdx", "hcl", "hcl", .hclReport), ("tpm", "tpm", "msg", .tpmAttest),
    ]

    @Test("each vector is recognised as what it is", .enabled(if: SharedVectors.arePresent), arguments: all.indices)
    func vectors(row: Int) throws {
        let (group, check, role, format) = Self.all[row]
        for vector in SharedVector.all(group, check: check) where vector.has(role) {
            let bytes = try vector.bytes(role)
            guard !bytes.isEmpty else { continue }
            #expect(EvidenceFormat(recognising: bytes) == format, "\(vector.id)")
        }
    }

    @Test("signatures are recognised where they say their algorithm", .enabled(if: SharedVectors.arePresent))
    func signatures() throws {
        for vector in SharedVector.all("tpm", check: "tpm") where vector.has("sig") {
            let isBare = vector.json["args"]?["sig_format"]?.stringValue != "tpmt"
            let format = EvidenceFormat(recognising: try vector.bytes("sig"))
            #expect(format == (isBare ? nil : .tpmSignature), "\(vector.id)")
        }
    }

    @Test("what a measured machine handed out is recognised", .enabled(if: SharedVectors.arePresent))
    func measuredMachine() throws {
        let files: [(String, EvidenceFormat)] = [
            ("ecc.ak.tpm2b_public", .tpmSizedPublic), ("rsa.ak.tpm2b_public", .tpmSizedPublic),
            ("ek-rsa2048.tpm2b_public", .tpmSizedPublic), ("ecc.attest", .tpmAttest), ("rsa.attest", .tpmAttest),
            ("ecc.tpmt_signature", .tpmSignature), ("rsa.tpmt_signature", .tpmSignature), ("eventlog.bin", .eventLog),
            ("eventlog-direct-kernel-1024M.bin", .eventLog),
        ]
        for (name, format) in files {
            #expect(
                EvidenceFormat(recognising: try SharedVectors.bytes("measured-vm/tpm/\(name)")) == format, "\(name)")
        }
        let key = try SharedVectors.bytes("measured-vm/tpm/rsa.ak.tpm2b_public")
        #expect(EvidenceFormat(recognising: Array(key.dropFirst(2))) == .tpmPublic)
    }

    @Test("Azure's evidence is recognised in each of its forms", .enabled(if: SharedVectors.arePresent))
    func azure() throws {
        for group in ["azure-snp", "azure-tdx"] {
            for vector in SharedVector.all(group, check: "azure") {
                let bytes = try vector.bytes("evidence")
                let isEnveloped = try JSONValue(parsing: bytes)["platform"] != nil
                #expect(
                    EvidenceFormat(recognising: bytes) == (isEnveloped ? .envelope : .azureEvidence), "\(vector.id)")
            }
        }
    }

    @Test("bare Azure evidence is of the platform that its HCL report is of", .enabled(if: SharedVectors.arePresent))
    func azurePlatform() throws {
        let rows = [
            ("azure-snp/az-snp-coco-v0", "az-snp"), ("azure-snp/az-snp-coco-v2", "az-snp"),
            ("azure-tdx/az-tdx-live", "az-tdx"),
        ]
        for (name, platform) in rows {
            let bytes = try SharedVectors.bytes("\(name).evidence.json")
            let envelope = try EvidenceFile(decoding: bytes, as: .azureEvidence).envelope
            #expect(envelope?.platform == platform)
            #expect(envelope?.evidence == (try JSONValue(parsing: bytes)))
        }
    }

    @Test("no prefix of a vector traps, and none is taken for something else", .enabled(if: SharedVectors.arePresent))
    func prefixes() throws {
        let files = [
            "snp/milan-v2-virtee.report.bin", "snp/turin-v5-microsoft.report.bin", "snp/genoa-v3-tsm.auxblob.bin",
            "tdx/tdx-v4-phala-1.bin", "tdx/tdx-v5-google.bin", "tdx/sgx-v3-phala.bin",
            "azure-snp/az-snp-hcl-2048-no-vcek.hcl.bin", "tpm/keylime-rsassa.msg.bin", "tpm/keylime-rsassa.sig.bin",
            "measured-vm/tpm/rsa.ak.tpm2b_public",
        ]
        for file in files {
            let bytes = try SharedVectors.bytes(file)
            let whole = EvidenceFormat(recognising: bytes)
            for count in 0..<bytes.count {
                let prefix = Array(bytes[..<count])
                guard let format = EvidenceFormat(recognising: prefix) else { continue }
                #expect(format == whole, "\(file), \(count) bytes")
                _ = try? EvidenceFile(decoding: prefix, as: format).envelope
            }
        }
    }

    @Test("a report's certificates go into its envelope", .enabled(if: SharedVectors.arePresent))
    func extendedReport() throws {
        let report = try SharedVectors.bytes("snp/genoa-v3-tsm.report.bin")
        let table = try SharedVectors.bytes("snp/genoa-v3-tsm.auxblob.bin")
        #expect(EvidenceFormat(recognising: report + table) == .snpExtendedReport)
        let file = try EvidenceFile(decoding: report + table, as: .snpExtendedReport)
        let envelope = try #require(try file.envelope)
        #expect(envelope.platform == "snp")
        let evidence = try SNPEvidence(envelope.evidence)
        #expect(evidence.report.encoded == report)
        #expect(evidence.endorsementKey != nil)
        #expect(evidence.issuers.count == 2)
    }

    @Test("an envelope of a bare report or quote holds it byte for byte", .enabled(if: SharedVectors.arePresent))
    func envelopes() throws {
        let report = try SharedVectors.bytes("snp/milan-v5-gcp.report.bin")
        let snp = try EvidenceFile(decoding: report, as: .snpReport).envelope
        #expect(
            snp == EvidenceEnvelope(platform: "snp", evidence: ["attestation_report": .string(Base64.encode(report))]))
        let quote = try SharedVectors.bytes("tdx/tdx-v4-gcp-8000.bin")
        let tdx = try EvidenceFile(decoding: quote, as: .intelQuote).envelope
        #expect(tdx == EvidenceEnvelope(platform: "tdx", evidence: ["quote": .string(Base64.encode(quote))]))
    }

    /// What can be two things is the first of them in the order of the cases.
    static let ambiguous: [(name: String, bytes: [UInt8], format: EvidenceFormat?)] = [
        ("nothing", [], nil), ("text", Array("hello".utf8), nil), ("zeros", Array(repeating: 0, count: 1184), nil),
        ("a JSON object of something else", Array(#"{"a":1}"#.utf8), nil), ("a JSON list", Array("[1]".utf8), nil),
        ("JSON that does not parse", Array(" {".utf8), .envelope),
        ("an envelope with a member too many", Array(#"{"platform":"snp","evidence":{},"x":1}"#.utf8), .envelope),
        ("an envelope beside Azure's members", Array(#"{"platform":"snp","hcl_report":""}"#.utf8), .envelope),
        ("Azure's members without an envelope", Array(#"{"hcl_report":""}"#.utf8), .azureEvidence),
        ("HCL and nothing more", Array("HCLA".utf8), .hclReport),
        ("a TPM's magic and nothing more", [0xFF, 0x54, 0x43, 0x47], .tpmAttest),
        ("a quote's first eight bytes", [4, 0, 2, 0, 0x81, 0, 0, 0], .intelQuote),
        ("a version of 3 as a report has it", [3, 0, 0, 0] + Array(repeating: 0, count: 1180), .snpReport),
        ("a version of 3 as a quote has it", [3, 0, 2, 0] + Array(repeating: 0, count: 1180), .intelQuote),
        (
            "a report cut short", [2, 0, 0, 0] + Array(repeating: 0, count: 48) + [1, 0, 0, 0], .snpReport
        ),
        ("a report's version in a file of another length", [2, 0, 0, 0] + Array(repeating: 0, count: 100), nil),
    ]

    @Test("ambiguous and unknown files", arguments: ambiguous.indices)
    func order(row: Int) {
        let (name, bytes, format) = Self.ambiguous[row]
        #expect(EvidenceFormat(recognising: bytes) == format, "\(name)")
    }

    @Test(
        "bytes after a report are refused, and counted", .enabled(if: SharedVectors.arePresent),
        arguments: [1, 20, 4096])
    func longReport(count: Int) throws {
        let bytes = try SharedVectors.bytes("snp/milan-v2-virtee.report.bin") + Array(repeating: 0, count: count)
        #expect(EvidenceFormat(recognising: bytes) == .snpReport)
        let error = #expect(throws: MalformedBytes.self) { try EvidenceFile(decoding: bytes, as: .snpReport) }
        #expect(error?.offset == 1184)
        #expect(error?.reason.hasPrefix("\(count) bytes after") == true)
    }

    @Test("parts prove nothing alone", .enabled(if: SharedVectors.arePresent))
    func parts() throws {
        for name in [
            "tpm/keylime-rsassa.msg.bin", "tpm/keylime-rsassa.sig.bin", "measured-vm/tpm/eventlog.bin",
            "snp/genoa-v3-tsm.auxblob.bin", "azure-snp/az-snp-hcl-2048-no-vcek.hcl.bin",
        ] {
            let bytes = try SharedVectors.bytes(name)
            let format = try #require(EvidenceFormat(recognising: bytes))
            #expect(try EvidenceFile(decoding: bytes, as: format).envelope == nil, "\(name)")
        }
    }
}
