// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import TestVectors

/// One vector of the group `snp`, and what is said of it.
struct SNPVector {
    let vector: SharedVector
    let certificate: [UInt8]

    init(_ vector: SharedVector) throws {
        self.vector = vector
        certificate = try vector.bytes("vek")
    }

    static var policy: AppraisalPolicy {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        return policy
    }

    /// A day into the certificate's validity: the vectors are not judged by it.
    var now: Int64 { (try? Certificate(certificate)).map { $0.validity.notBefore + 86_400 } ?? SNPScene.now }

    func appraised(now: Int64? = nil) throws -> AppraisalResult {
        let bytes = try vector.bytes("report")
        let appraiser = SNPAppraiser(policy: Self.policy, now: now ?? self.now)
        guard let report = try? SNPReport(decoding: bytes) else {
            return appraiser.appraise(
                EvidenceEnvelope(platform: "snp", evidence: ["attestation_report": .string(Base64.encode(bytes))]))
        }
        return appraiser.appraise(
            SNPEvidence(
                report: report, endorsementKey: certificate,
                issuers: vector.has("chain") ? [try vector.bytes("chain")] : []), platform: "snp")
    }

    func verdictFacts(_ codes: [Finding.Code]) -> [String: JSONValue] {
        let isChainValid = !codes.contains(.snpChain) && !codes.contains(.snpIssuers)
        let hasChip = vector.expected["vek_hwid_matches_chip_id"] != .null
        return [
            "signature_valid": .bool(!codes.contains(.snpSignature)), "chain_valid_to_ark": .bool(isChainValid),
            "vek_tcb_matches_reported_tcb": .bool(!codes.contains(.snpCertificateTCB)),
            "vek_hwid_matches_chip_id": hasChip ? .bool(!codes.contains(.snpChip)) : .null,
            "vek_kind_matches_signing_key": .bool(!codes.contains(.snpKeyKind)),
            "product_consistent": .bool(isChainValid && !codes.contains(.snpProduct)),
            "overall_valid": .bool(codes.allSatisfy { $0 == .snpDebug }),
        ]
    }

    func certificateFacts() throws -> [String: JSONValue] {
        let endorsement = try SNPEndorsement(Certificate(certificate))
        let issuer = endorsement.certificate.issuer.commonName ?? ""
        let validity = endorsement.certificate.validity
        func date(_ time: Int64) -> JSONValue {
            .string(CivilTime(secondsSince1970: time).rfc3339.replacing("Z", with: "+00:00"))
        }
        var facts: [String: JSONValue] = [
            "vek_subject_cn": .string(endorsement.certificate.subject.commonName ?? ""),
            "vek_issuer_cn": .string(issuer), "chain_issuer_cn": .string(issuer),
            "vek_struct_version": .integer(Int(endorsement.structureVersion)),
            "vek_product_name": .string(endorsement.productName),
            "product_from_vek": .string(endorsement.product.rawValue),
            "ark_product": .string(endorsement.product.rawValue),
            "vek_tcb": .object(
                Dictionary(uniqueKeysWithValues: endorsement.tcb.named.map { ($0.name, .integer(Int($0.value))) })),
            "vek_hwid": endorsement.chipID.map { .string(Hex.encode($0)) } ?? .null,
            "vek_serial": .integer(endorsement.certificate.serial.reduce(0) { $0 << 8 | Int($1) }),
            "vek_not_before": date(validity.notBefore), "vek_not_after": date(validity.notAfter),
            "vek_kind": endorsement.kind == .vlek ? "VLEK" : "VCEK",
        ]
        facts["vek_csp_id"] = endorsement.provider.map { .string($0) }
        return facts
    }
}

extension SharedVector {
    /// Real reports, each once.
    static let reports = all("snp", check: "snp").filter { !$0.isInvalid && !$0.has("auxblob") }
}
