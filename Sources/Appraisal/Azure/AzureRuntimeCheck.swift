// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Whether the hardware's report vouches for the runtime data, and those for an attestation key.
struct AzureRuntimeCheck {
    let evidence: AzureEvidence
    let hardware: AzureHardware

    func findings() -> [Finding] { digestFindings() + keyFindings() + quoteFindings() }

    private func digestFindings() -> [Finding] {
        let digest = evidence.hclReport.variableDataDigest
        let wanted = digest + [UInt8](repeating: 0, count: 64 - digest.count)
        guard hardware.reportData != wanted else { return [] }
        return [
            finding(
                .azureRuntimeData, "REPORT_DATA",
                "\(Hex.encode(digest)), the digest of the runtime data, and zeros", Hex.encode(hardware.reportData))
        ]
    }

    private func keyFindings() -> [Finding] {
        guard evidence.runtimeData.attestationKey == nil else { return [] }
        return [finding(.azureNoKey, "runtime data", "the key HCLAkPub", "none")]
    }

    /// The TDREPORT in the HCL report must be the one that was quoted.
    private func quoteFindings() -> [Finding] {
        guard case .tdx(let report, let quoted?) = hardware else { return [] }
        let fields: [(name: String, reported: [UInt8], quoted: [UInt8])] = [
            ("REPORTDATA", report.reportData, quoted.reportData), ("MRTD", report.mrTD, quoted.mrTD),
            ("ATTRIBUTES", Self.bytes(report.attributes.rawValue), Self.bytes(quoted.attributes.rawValue)),
            ("XFAM", Self.bytes(report.xfam), Self.bytes(quoted.xfam)),
        ]
        return fields.filter { $0.reported != $0.quoted }.map { field in
            finding(
                .azureModuleReport, "TDREPORT.\(field.name)", "\(Hex.encode(field.quoted)), as quoted",
                Hex.encode(field.reported))
        }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(number)
        return writer.bytes
    }

    private func finding(_ code: Finding.Code, _ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            code, subject: subject, expected: expected, found: found,
            remedy: "do not trust the evidence: its parts do not belong together, or one was changed")
    }
}

extension Finding.Code {
    /// The hardware's report is of other runtime data.
    public static let azureRuntimeData = Self(rawValue: "azure.runtime-data")
    /// The runtime data name no attestation key.
    public static let azureNoKey = Self(rawValue: "azure.key.missing")
    /// The TDREPORT is not the one that was quoted.
    public static let azureModuleReport = Self(rawValue: "azure.td-report")
}
