// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON
import TestVectors
import Testing

/// The facts of the vectors' index that take keys and collateral; those of the quote alone are the decoder's.
enum TDXVectorFacts {
    static let ofTheAppraisal: Set<String> = [
        "quote_sig_valid", "qe_report_data_binds_att_key", "qe_report_sig_valid", "static_valid", "fmspc",
    ]

    /// The row's own time; a day of the PCK certificate where it has none.
    static func now(_ vector: SharedVector, _ quote: IntelQuote) throws(MalformedBytes) -> Int64 {
        if let now = vector.now { return now }
        let chain = try? PEM.decode(quote.signature.pckChain, label: "CERTIFICATE").map { try Certificate(der: $0) }
        return (chain?.map(\.validity.notBefore).max() ?? 1_750_000_000) + 86_400
    }

    static func of(_ vector: SharedVector) throws -> [String: JSONValue] {
        let quote = try IntelQuote(decoding: try vector.bytes("quote"))
        let now = try Self.now(vector, quote)
        guard let appraisal = try? IntelQuoteAppraisal(quote, collateral: [], now: now) else {
            return ["pck_chain_parse_error": true, "pck_chain_valid_to_root": false, "static_valid": false].merging(
                ofUnreadableChain(quote)
            ) { $1 }
        }
        let codes = Set(appraisal.findings.map(\.code.rawValue))
        let pck = appraisal.pck
        let chain = try PEM.decode(quote.signature.pckChain, label: "CERTIFICATE").map { try Certificate(der: $0) }
        let root = try #require(chain.last)
        return ofUnreadableChain(quote).merging([
            "quote_sig_valid": .bool(!codes.contains("tdx.quote.signature")),
            "qe_report_data_binds_att_key": .bool(!codes.contains("tdx.attestation-key")),
            "qe_report_sig_valid": .bool(!codes.contains("tdx.qe.signature")),
            "pck_chain_valid_to_root": .bool(codes.isDisjoint(with: ["tdx.pck.chain", "tdx.root"])),
            "static_valid": .bool(codes.subtracting(["tdx.pck.dates"]).isEmpty),
            "pck_chain_cns": .array(chain.map { .string($0.subject.commonName ?? "") }),
            "pck_root_spki_sha256": hex(Array(SHA256.hash(data: root.publicKeyInfo))),
            "pck_not_before": time(pck.certificate.validity.notBefore),
            "pck_not_after": time(pck.certificate.validity.notAfter),
            "pck_serial": .string(String(Hex.encode(pck.certificate.serial).drop { $0 == "0" })),
            "pck_ppid": hex(pck.ppid), "pck_tcb_comps": .array(pck.componentSVNs.map { .integer(Int($0)) }),
            "pck_pcesvn": .integer(Int(pck.pceSVN)), "pck_cpusvn": hex(pck.cpuSVN), "pck_pceid": hex(pck.pceID),
            "pck_fmspc": hex(pck.fmspc), "fmspc": hex(pck.fmspc),
        ]) { $1 }
    }

    /// What can be said of a quote whose certificates cannot be read.
    private static func ofUnreadableChain(_ quote: IntelQuote) -> [String: JSONValue] {
        let signature = quote.signature
        let key = try? P256.Signing.PublicKey(rawRepresentation: signature.attestationKey)
        let raw = try? P256.Signing.ECDSASignature(rawRepresentation: signature.signature)
        let isSigned = key.flatMap { key in
            raw.map { key.isValidSignature($0, for: SHA256.hash(data: quote.signedBytes)) }
        }
        let digest = SHA256.hash(data: signature.attestationKey + signature.qeAuthenticationData)
        return [
            "quote_sig_valid": .bool(isSigned ?? false),
            "qe_report_data_binds_att_key": .bool(
                signature.qeReport.reportData == Array(digest) + [UInt8](repeating: 0, count: 32)),
        ]
    }

    static func ofTCB(_ vector: SharedVector) throws -> [String: JSONValue] {
        let quote = try IntelQuote(decoding: try vector.bytes("quote"))
        let set = try IntelCollateral(parsing: try vector.bytes("collateral"))
        let now = try #require(vector.now)
        let appraisal = try IntelQuoteAppraisal(quote, collateral: [set], now: now)
        let codes = Set(appraisal.findings.map(\.code.rawValue))
        let ofSet = codes.filter { $0.hasPrefix("tdx.collateral") || $0.hasPrefix("tdx.tcb-info") }
        var facts: [String: JSONValue] = [
            "fmspc_match": .bool(try set.platform.fmspc == appraisal.pck.fmspc),
            "pceid_match": .bool(try TCBInfo(set.tcbInfo).pceID == appraisal.pck.pceID),
            "pck_in_validity": .bool(appraisal.pck.certificate.validity.contains(now)),
            "pck_revoked": .bool(
                try RevocationList(set.pckCRL).revoked.contains(appraisal.pck.certificate.serial)),
            "collateral_valid": .bool(ofSet.isEmpty),
            "collateral": .object(try ofCollateral(set, codes: Array(codes), now: now)),
        ]
        facts["appraisal_ok"] = .bool(
            codes.isEmpty && appraisal.obstacle == nil && ![nil, .revoked].contains(appraisal.tcb?.status))
        guard let tcb = appraisal.tcb else { return facts }
        facts.merge(ofLevels(tcb, quote)) { $1 }
        return facts
    }

    private static func ofLevels(_ tcb: TCBAppraisal, _ quote: IntelQuote) -> [String: JSONValue] {
        let text = { (text: String?) in text.map { JSONValue.string($0) } ?? .null }
        let codes = Set(tcb.findings.map(\.code.rawValue))
        var facts: [String: JSONValue] = [
            "qe_identity_match": .bool(!codes.contains("tdx.qe.identity")),
            "qe_tcb_status": text(tcb.qe?.status.rawValue),
            "platform_tcb_status": text(tcb.platform?.status.rawValue),
            "platform_tcb_date": text(tcb.platform?.date),
            "platform_advisories": .array((tcb.platform?.advisories ?? []).sorted().map { .string($0) }),
            "merged_tcb_status": text(tcb.status?.rawValue),
            "advisory_ids": .array(tcb.advisories.map { .string($0) }),
        ]
        guard case .trustDomain(let report) = quote.body else { return facts }
        facts["tdx_module_match"] = .bool(!codes.contains("tdx.module.identity"))
        guard report.teeTCBSVN[1] > 0 else { return facts }
        facts["tdx_module_identity"] = text(tcb.moduleIdentity)
        facts["tdx_module_tcb_status"] = text(tcb.module?.status.rawValue)
        return facts
    }

    /// - Parameter codes: why it was refused.
    static func ofCollateral(
        _ set: IntelCollateral, codes: [String], now: Int64?
    ) throws -> [String: JSONValue] {
        let now = now ?? 0
        let info = try TCBInfo(set.tcbInfo)
        let identity = try QEIdentity(set.qeIdentity)
        let inForce = { (pem: [UInt8]) in
            try PEM.decode(pem, label: "CERTIFICATE").allSatisfy { try Certificate(der: $0).validity.contains(now) }
        }
        var facts: [String: JSONValue] = [
            "tcb_chain_valid": .bool(!codes.contains("tdx.collateral.chain")),
            "qe_identity_chain_valid": .bool(!codes.contains("tdx.collateral.chain")),
            "pck_crl_chain_valid": .bool(!codes.contains("tdx.collateral.chain")),
            "tcb_chain_in_validity": .bool(try inForce(set.tcbInfoIssuerChain)),
            "qe_identity_chain_in_validity": .bool(try inForce(set.qeIdentityIssuerChain)),
            "pck_crl_chain_in_validity": .bool(try inForce(set.pckCRLIssuerChain)),
            "tcb_info_sig_valid": .bool(!codes.contains("tdx.tcb-info.signature")),
            "qe_identity_sig_valid": .bool(!codes.contains("tdx.qe-identity.signature")),
            "fmspc": hex(info.fmspc), "tcb_id": .string(info.tee == .tdx ? "TDX" : "SGX"),
            "tcb_eval_number": .integer(info.evaluationDataNumber), "tcb_issue": zulu(info.validity.notBefore),
            "tcb_next": zulu(info.validity.notAfter), "qe_id": .string(identity.tee == .tdx ? "TD_QE" : "QE"),
            "qe_issue": zulu(identity.validity.notBefore), "qe_next": zulu(identity.validity.notAfter),
            "tcb_info_fresh": .bool(info.validity.contains(now)),
            "qe_identity_fresh": .bool(identity.validity.contains(now)),
        ]
        for (name, bytes) in [("root_crl", set.rootCACRL), ("pck_crl", set.pckCRL)] {
            let list = try RevocationList(bytes)
            facts["\(name)_next"] = time(list.validity.notAfter)
            facts["\(name)_fresh"] = .bool(list.validity.contains(now))
            facts["\(name)_revoked"] = .integer(list.revoked.count)
        }
        // The codes do not say of which list the signature is bad; one row has a bad one, of the PCK CA's.
        facts["pck_crl_sig_valid"] = .bool(!codes.contains("tdx.crl.signature") && !codes.contains("tdx.crl.issuer"))
        facts["root_crl_sig_valid"] = .bool(!codes.contains("tdx.crl.issuer"))
        return facts
    }

    private static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }

    private static func zulu(_ seconds: Int64) -> JSONValue {
        .string(CivilTime(secondsSince1970: seconds).rfc3339)
    }

    private static func time(_ seconds: Int64) -> JSONValue {
        .string(CivilTime(secondsSince1970: seconds).rfc3339.replacing("Z", with: "+00:00"))
    }
}
