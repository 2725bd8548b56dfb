// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct AzureEvidenceTests {
    static let vectors = ["azure-snp", "azure-tdx"].flatMap { SharedVector.all($0, check: "azure") }
    static let reports = ["azure-snp", "azure-tdx"].flatMap { SharedVector.all($0, check: "hcl") }

    /// Vectors whose fault is in the form, and why.
    static let malformed: Set<String> = ["neg-az-snp-vardata-len", "neg-az-snp-truncated-hcl"]

    static func evidence(_ vector: SharedVector) throws -> AzureEvidence {
        let json = try JSONValue(parsing: vector.bytes("evidence"))
        return try AzureEvidence(json["evidence"] ?? json)
    }

    @Test(arguments: vectors)
    func everyFactOfTheEvidenceIsAsExpected(vector: SharedVector) throws {
        guard !Self.malformed.contains(vector.id) else {
            #expect(throws: MalformedBytes.self) { try Self.evidence(vector) }
            return
        }
        let evidence = try Self.evidence(vector)
        let hcl = vector.expected["hcl"]?.objectValue ?? [:]
        #expect(vector.compare(HCLFacts.of(evidence.hclReport, evidence.runtimeData), with: hcl).isEmpty)
        let tpm = vector.expected["tpm"]?.objectValue ?? [:]
        #expect(vector.compare(TPMFacts.of(evidence.quote), with: tpm).isEmpty)
        if evidence.hclReport.reportType == .snp {
            let report = try SNPReport(decoding: evidence.hclReport.hardwareReport)
            _ = vector.compare(SNPFacts.of(report), with: vector.expected["snp"]?.objectValue ?? [:])
        } else {
            let report = try TDXModuleReport(decoding: evidence.hclReport.hardwareReport)
            _ = vector.compare(["tdreport_mrtd": .string(Hex.encode(report.mrTD))])
        }
        if let quote = evidence.tdQuote {
            _ = vector.compare(QuoteFacts.of(quote), with: vector.expected["tdx"]?.objectValue ?? [:])
        }
    }

    @Test(arguments: reports)
    func everyFactOfABareReportIsAsExpected(vector: SharedVector) throws {
        let report = try AzureHCLReport(decoding: vector.bytes("hcl"))
        let runtime = try AzureRuntimeData(parsing: report.variableData)
        let hcl = vector.expected["hcl"]?.objectValue ?? [:]
        #expect(vector.compare(HCLFacts.of(report, runtime), with: hcl).isEmpty)
    }

    @Test func allOfThemAreThere() { #expect(Self.vectors.count == 24 && Self.reports.count == 2) }

    @Test(arguments: ["version", "tpm_quote", "hcl_report", "td_quote", "vcek", "more"])
    func aFieldOfAnotherFormIsRefused(field: String) throws {
        let vector = try #require(Self.vectors.first { $0.id == "az-snp-live" })
        let json = try JSONValue(parsing: vector.bytes("evidence"))
        var members = try #require(json["evidence"]?.objectValue)
        members[field] = ["x": 1]
        #expect(throws: MalformedBytes.self) { try AzureEvidence(.object(members)) }
        members = try #require(json["evidence"]?.objectValue)
        guard members.removeValue(forKey: field) != nil, field != "vcek", field != "version" else { return }
        #expect(throws: MalformedBytes.self) { try AzureEvidence(.object(members)) }
    }
}

/// The facts of the vectors' index that an HCL report alone gives.
enum HCLFacts {
    static func of(_ report: AzureHCLReport, _ runtime: AzureRuntimeData) -> [String: JSONValue] {
        var facts: [String: JSONValue] = [
            "hcl_signature": "HCLA", "hcl_version": number(report.version),
            "hcl_report_size": number(report.reportSize),
            "hcl_request_type": number(report.requestType), "hcl_status": number(report.status),
            "total_len": .integer(1236 + report.variableData.count + report.padding.count),
            "igvm": [
                "data_size": number(report.dataSize), "version": number(report.dataVersion),
                "report_type": number(report.reportType.rawValue), "hash_type": 1,
                "variable_data_size": .integer(report.variableData.count),
            ],
            "report_kind": report.reportType == .snp ? "SNP" : "TDX",
            "var_data_sha256": .string(Hex.encode(report.variableDataDigest)),
            "var_data_len": .integer(report.variableData.count),
            "runtime_keys": .array(runtime.keys.map { .string($0.id) }),
            "vm_configuration": runtime.configuration ?? .null,
        ]
        if let key = runtime.attestationKey {
            facts["ak_n_sha256"] = .string(Digest256(of: key.modulus).hex)
            facts["ak_bits"] = .integer(key.modulus.count * 8)
            facts["ak_e"] = .integer(key.exponent.reduce(0) { $0 << 8 | Int($1) })
            facts["ak_spki_sha256"] = .string(Digest256(of: key.subjectPublicKeyInfo).hex)
        }
        let json = try? JSONValue(parsing: report.variableData)
        facts["user_data"] = json?["user-data"] ?? .null
        if let text = facts["user_data"]?.stringValue {
            facts["user_data"] = runtime.userData.map(Hex.encode) == text.lowercased() ? .string(text) : .null
        }
        return facts
    }

    private static func number(_ value: UInt32) -> JSONValue { .integer(Int(value)) }
}
