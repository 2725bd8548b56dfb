// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct IntelQuoteVectorTests {
    /// Facts that need keys and collateral: the appraisal's tests assert them.
    static let ofTheAppraisal: Set<String> = [
        "quote_sig_valid", "qe_report_data_binds_att_key", "qe_report_sig_valid", "static_valid", "fmspc", "tcb",
    ]

    @Test(arguments: SharedVector.all("tdx", check: "tdx"))
    func everyFactOfAQuoteIsAsExpected(vector: SharedVector) throws {
        let bytes = try vector.bytes("quote")
        guard vector.expected["parse_error"] != true else {
            #expect(throws: MalformedBytes.self) { try IntelQuote(decoding: bytes) }
            return
        }
        let quote = try IntelQuote(decoding: bytes)
        #expect(quote.encoded + quote.padding == bytes)
        let left = vector.compare(QuoteFacts.of(quote)).subtracting(Self.ofTheAppraisal)
        #expect(left.allSatisfy { $0.hasPrefix("pck_") }, "\(left)")
    }

    @Test func allOfThemAreThere() { #expect(SharedVector.all("tdx", check: "tdx").count == 75) }
}

/// The facts of the vectors' index that a quote alone gives.
enum QuoteFacts {
    static func of(_ quote: IntelQuote) -> [String: JSONValue] {
        let end = quote.signedBytes.count
        let signature = quote.signature
        let start = end + 4 + (quote.version == 3 ? 128 : 134)
        let length = quote.encoded.count - end - 4
        var facts: [String: JSONValue] = [
            "version": .integer(Int(quote.version)), "att_key_type": .integer(Int(quote.attestationKeyType)),
            "tee_type": .string("0x" + String(quote.tee.rawValue, radix: 16)),
            "qe_vendor_id": hex(quote.qeVendorID), "user_data": hex(quote.userData),
            "signed_region": [0, .integer(end)], "signature_data_offset": .integer(end + 4),
            "signature_data_len": .integer(length), "trailing_len": .integer(quote.padding.count),
            "trailing_all_zero": .bool(quote.padding.allSatisfy { $0 == 0 }),
            "qe_auth_data_len": .integer(signature.qeAuthenticationData.count), "pck_cert_data_type": 5,
            "att_pub_key": hex(signature.attestationKey), "qe_report": enclave(signature.qeReport),
            "offsets": [
                "quote_sig": .integer(end + 4), "att_key": .integer(end + 68), "qe_report": .integer(start),
                "qe_report_sig": .integer(start + 384),
            ],
        ]
        switch quote.body {
        case .enclave(let report):
            facts["body_type"] = "SGX"
            facts["enclave"] = enclave(report)
            facts["sgx_debug"] = .bool(report.isDebug)
        case .trustDomain(let report): facts.merge(trustDomain(report)) { $1 }
        }
        if quote.version == 5 {
            let types: [String: (Int, Int)] = ["SGX": (1, 384), "TD10": (2, 584), "TD15": (3, 648)]
            let (type, size) = types[facts["body_type"]?.stringValue ?? ""] ?? (0, 0)
            facts["body_descriptor"] = ["type": .integer(type), "size": .integer(size)]
        }
        return facts
    }

    private static func trustDomain(_ report: TDReport) -> [String: JSONValue] {
        var facts: [String: JSONValue] = [
            "body_type": report.extended == nil ? "TD10" : "TD15", "tee_tcb_svn": hex(report.teeTCBSVN),
            "mr_seam": hex(report.mrSeam), "mr_signer_seam": hex(report.mrSignerSeam),
            "seam_attributes": number(report.seamAttributes), "td_attributes": number(report.attributes.rawValue),
            "xfam": number(report.xfam), "mr_td": hex(report.mrTD), "mr_config_id": hex(report.mrConfigID),
            "mr_owner": hex(report.mrOwner), "mr_owner_config": hex(report.mrOwnerConfig),
            "report_data": hex(report.reportData), "td_debug": .bool(report.attributes.contains(.debug)),
            "td_sept_ve_disable": .bool(report.attributes.contains(.septVEDisable)),
            "td_pks": .bool(report.attributes.contains(.pks)),
            "td_kl": .bool(report.attributes.contains(.keyLocker)),
            "td_perfmon": .bool(report.attributes.contains(.perfmon)),
        ]
        for (index, value) in report.rtmrs.enumerated() { facts["rtmr\(index)"] = hex(value) }
        if let extended = report.extended {
            facts["tee_tcb_svn2"] = hex(extended.teeTCBSVN2)
            facts["mr_service_td"] = hex(extended.mrServiceTD)
        }
        return facts
    }

    private static func enclave(_ report: EnclaveReport) -> JSONValue {
        [
            "cpu_svn": hex(report.cpuSVN), "misc_select": hex(report.miscSelect), "attributes": hex(report.attributes),
            "mr_enclave": hex(report.mrEnclave), "mr_signer": hex(report.mrSigner),
            "isv_prod_id": .integer(Int(report.isvProductID)), "isv_svn": .integer(Int(report.isvSVN)),
            "report_data": hex(report.reportData),
        ]
    }

    private static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }

    private static func number(_ value: UInt64) -> JSONValue {
        var writer = ByteWriter()
        writer.littleEndian(value)
        return hex(writer.bytes)
    }
}
