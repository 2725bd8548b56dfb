// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct AzureVectorTests {
    static let rows = ["azure-snp", "azure-tdx"].flatMap { SharedVector.all($0, check: "azure") }
    static let reports = ["azure-snp", "azure-tdx"].flatMap { SharedVector.all($0, check: "hcl") }

    /// Why each of the vectors that must be refused is.
    static let codes: [String: [String]] = [
        "neg-az-snp-report-data": ["azure.runtime-data", "snp.signature"],
        "neg-az-snp-measurement": ["snp.signature"],
        "neg-az-snp-vardata-ak": ["azure.runtime-data", "tpm.quote.signature"],
        "neg-az-snp-vardata-len": ["evidence.malformed"],
        "neg-az-snp-extradata": ["tpm.quote.signature"],
        "neg-az-snp-tpm-sig": ["tpm.quote.signature"],
        "neg-az-snp-pcr-value": ["tpm.quote.digest"],
        "neg-az-snp-pcr-order": ["tpm.quote.digest"],
        "neg-az-snp-quote-of-other-vm": ["tpm.quote.signature"],
        "neg-az-snp-hcl-of-other-vm": ["snp.certificate.chip-id", "snp.signature", "tpm.quote.signature"],
        "neg-az-snp-vcek-other-chip": ["snp.certificate.chip-id", "snp.signature"],
        "neg-az-snp-truncated-hcl": ["evidence.malformed"],
        "neg-az-tdx-quote-report-data": ["azure.runtime-data", "azure.td-report", "tdx.quote.signature"],
        "neg-az-tdx-vardata-ak": ["azure.runtime-data", "tpm.quote.signature"],
        "neg-az-tdx-tpm-sig": ["tpm.quote.signature"],
        "neg-az-tdx-pcr-value": ["tpm.quote.digest"],
        "neg-az-tdx-no-td-quote": ["azure.td-quote.missing"],
    ]

    static func collateral() throws -> CollateralSet {
        let bytes = try SharedVectors.bytes("intel-collateral/90c06f000000-202603.json")
        return CollateralSet(intel: [try IntelCollateral(parsing: bytes)])
    }

    static func envelope(_ vector: SharedVector) throws -> EvidenceEnvelope {
        let json = try JSONValue(parsing: vector.bytes("evidence"))
        let platform = json["platform"]?.stringValue ?? (vector.group == "azure-snp" ? "az-snp" : "az-tdx")
        return EvidenceEnvelope(platform: platform, evidence: json["evidence"] ?? json)
    }

    static var anyImage: AppraisalPolicy {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        return policy
    }

    @Test(arguments: rows)
    func everyVectorHasItsVerdictAndItsFacts(vector: SharedVector) throws {
        let result = appraise(
            try Self.envelope(vector), policy: Self.anyImage, collateral: try Self.collateral(), now: TPMScene.now)
        let reasons = result.reasons
        #expect(reasons == Self.codes[vector.id] ?? [], "\(result.lines.map(\.compared))")
        if vector.id == "neg-az-snp-nonce" {
            let wanted = try Hex.decode(#require(vector.json["args"]?["expected_nonce"]?.stringValue))
            #expect(result.claimedBinding?.bytes != wanted && vector.isInvalid)
            return
        }
        #expect(vector.isInvalid == !result.isAccepted)
        guard reasons != ["evidence.malformed"] else { return }
        let left = vector.compare(facts(result, vector)).subtracting(["hcl", "snp", "tdx", "tpm", "tdreport_mrtd"])
        #expect(left.isEmpty, "\(left)")
        if let extraData = vector.expected["tpm"]?["extra_data"]?.stringValue {
            #expect(result.claimedBinding?.bytes == (try Hex.decode(extraData)))
        }
    }

    private func facts(_ result: AppraisalResult, _ vector: SharedVector) -> [String: JSONValue] {
        let codes = Set(result.reasons)
        let isQuoted = !codes.contains("azure.td-quote.missing")
        let hardware = codes.allSatisfy { !$0.hasPrefix("snp.") && !$0.hasPrefix("tdx.") }
        let binding = result.claimedBinding?.bytes ?? []
        var facts: [String: JSONValue] = [
            "overall_valid": .bool(result.isAccepted), "hw_valid": isQuoted ? .bool(hardware) : .null,
            "runtime_data_bound_to_report_data": .bool(!codes.contains("azure.runtime-data")),
            "tpm_signature_valid": .bool(!codes.contains("tpm.quote.signature")),
            "pcr_digest_match": .bool(!codes.contains("tpm.quote.digest")),
            "extra_data_ascii": .string(String(decoding: binding, as: UTF8.self)),
        ]
        if vector.expected["platform_tag"] == .null { facts["platform_tag"] = .null }
        facts["platform_tag"] = facts["platform_tag"] ?? "az-snp"
        if case .rejected(let first, let more) = result.verdict {
            facts["tdreport_matches_quote"] = .bool(!([first] + more).contains { $0.subject == "TDREPORT.MRTD" })
        } else {
            facts["tdreport_matches_quote"] = true
            facts["tdreport_report_data_bound"] = true
        }
        return facts
    }

    @Test(arguments: reports)
    func aBareReportIsBoundToItsRuntimeData(vector: SharedVector) throws {
        let report = try AzureHCLReport(decoding: vector.bytes("hcl"))
        let wanted = report.variableDataDigest + [UInt8](repeating: 0, count: 32)
        let found =
            switch report.reportType {
            case .snp: try SNPReport(decoding: report.hardwareReport).reportData
            case .tdx: try TDXModuleReport(decoding: report.hardwareReport).reportData
            }
        #expect(found == wanted && vector.expected["runtime_data_bound_to_report_data"] == true)
    }

    @Test func allOfThemAreThere() {
        #expect(Self.rows.count == 24 && Self.reports.count == 2)
        #expect(Set(Self.rows.filter(\.isInvalid).map(\.id)) == Set(Self.codes.keys).union(["neg-az-snp-nonce"]))
    }

    @Test(arguments: rows.filter { !$0.isInvalid })
    func genuineHardwareOfAnUnknownImageIsRefused(vector: SharedVector) throws {
        let result = appraise(
            try Self.envelope(vector), policy: AppraisalPolicy(), collateral: try Self.collateral(), now: TPMScene.now)
        #expect(result.reasons == ["measurement.unknown-image"])
    }

    @Test(arguments: rows.filter { !$0.isInvalid })
    func relabelledEvidenceIsRefused(vector: SharedVector) throws {
        let envelope = try Self.envelope(vector)
        let other = EvidenceEnvelope(
            platform: vector.group == "azure-snp" ? "az-tdx" : "az-snp", evidence: envelope.evidence)
        let result = appraise(
            other, policy: Self.anyImage, collateral: try Self.collateral(), now: TPMScene.now)
        #expect(result.reasons == ["azure.platform"])
    }
}
