// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto
internal import Evidence

/// The names of kinvolk/azure-cvm-tooling, `az-cvm-vtpm/src/hcl`.
extension AzureHCLReport {
    /// - Parameter product: the product line that the VCEK names.
    func inspected(product: SNPProduct? = nil) -> [InspectedField] {
        [
            .text("signature", "HCLA"), .number("version", version), .number("report_size", reportSize),
            .number("request_type", requestType), .number("status", status),
            .reading("hardware_report") { () throws(MalformedBytes) in try hardwareFields(product) },
            InspectedField(
                "igvm_request_data",
                parts: [
                    .number("data_size", dataSize), .number("version", dataVersion),
                    .number("report_type", reportType.rawValue, reportType == .snp ? "SNP" : "TDX"),
                    .text("hash_type", hashAlgorithm.description),
                    .number("variable_data_size", UInt64(variableData.count)),
                ]),
            .bytes("variable_data_digest", variableDataDigest, "what the hardware's REPORT_DATA must begin with"),
            .reading("variable_data") { () throws(MalformedBytes) in
                try AzureRuntimeData(parsing: variableData).inspected
            },
            InspectedField(
                "padding", "nothing signs it",
                parts: [
                    .number("size", UInt64(padding.count)),
                    InspectedField("all zero", .flag(padding.allSatisfy { $0 == 0 })),
                ]),
        ]
    }

    private func hardwareFields(_ product: SNPProduct?) throws(MalformedBytes) -> [InspectedField] {
        switch reportType {
        case .snp: try SNPReport(decoding: hardwareReport).inspected(product: product)
        case .tdx: try TDXModuleReport(decoding: hardwareReport).inspected
        }
    }
}

extension TDXModuleReport {
    /// The names of the Intel TDX Module ABI, TDREPORT_STRUCT.
    fileprivate var inspected: [InspectedField] {
        [
            .callerBytes("REPORTDATA", reportData), attributes.inspected, .hex("XFAM", xfam),
            .bytes("MRTD", mrTD, "measurement of the TD's initial memory"),
        ]
    }
}

extension AzureRuntimeData {
    /// The names of the JSON itself.
    fileprivate var inspected: [InspectedField] {
        [
            .list("keys", keys.map(\.inspected)),
            InspectedField("vm-configuration", configuration.map { .json($0) } ?? .absent),
            userData.map { .callerBytes("user-data", $0, "what the guest wrote to NV index 0x01400002") }
                ?? InspectedField("user-data", .absent, "the paravisor is too old for it"),
        ]
    }
}

extension AzureRuntimeData.Key {
    fileprivate var inspected: InspectedField {
        let isAttestationKey = id == "HCLAkPub"
        return InspectedField(
            id,
            parts: [
                .text("kid", id, isAttestationKey ? "signs the vTPM's quotes" : nil), .bytes("n", modulus),
                .bytes("e", exponent), .number("bits", UInt64(bits)),
                .bytes("SubjectPublicKeyInfo SHA-256", Array(SHA256.hash(data: subjectPublicKeyInfo))),
            ])
    }

    private var bits: Int {
        let digits = modulus.drop { $0 == 0 }
        return digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
    }
}
