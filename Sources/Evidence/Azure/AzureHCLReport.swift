// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The report that Azure's paravisor (HCL) keeps in the vTPM's NV index 0x01400001, decoded and not yet believed: the
/// hardware's report, and the JSON that the report's REPORT_DATA is a digest of.
///
/// Integers are little-endian. Layout as published in kinvolk/azure-cvm-tooling, `az-cvm-vtpm/src/hcl`.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 4 | signature | "HCLA" |
/// | 4 | 4 | version | 1 or 2 |
/// | 8 | 4 | report_size | 1,216 + data_size |
/// | 12 | 4 | request_type | 2 |
/// | 16 | 4 | status | 0 |
/// | 20 | 12 | reserved | 0 |
/// | 32 | 1,184 | hardware report | ``SNPReport``, or a TDREPORT of 1,024 bytes and zeros |
/// | 1,216 | 4 | data_size | 20 + variable_data_size |
/// | 1,220 | 4 | version | 1 |
/// | 1,224 | 4 | report_type | 2 SNP, 4 TDX |
/// | 1,228 | 4 | hash_type | 1 SHA-256, 2 SHA-384, 3 SHA-512 |
/// | 1,232 | 4 | variable_data_size | |
/// | 1,236 | as said | variable data | JSON: ``AzureRuntimeData`` |
/// | then | any | padding | not signed |
public struct AzureHCLReport: Hashable, Sendable {
    /// A larger input is refused: the NV index has 2,600 bytes.
    public static let maximumSize = 16_384

    public enum ReportType: UInt32, Sendable {
        case snp = 2
        case tdx = 4
    }

    public let version: UInt32
    public let reportSize: UInt32
    public let requestType: UInt32
    public let status: UInt32
    /// 1,184 bytes.
    public let hardwareReport: [UInt8]
    public let dataSize: UInt32
    public let dataVersion: UInt32
    public let reportType: ReportType
    public let hashAlgorithm: TPMHashAlgorithm
    /// The bytes whose digest the hardware signs, as they came.
    public let variableData: [UInt8]
    /// What follows, which nothing signs.
    public let padding: [UInt8]

    /// Throws at another signature, unknown versions and types, and sizes that do not agree.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: Self.format)
        guard bytes.count <= Self.maximumSize else { throw cursor.malformed("", "\(bytes.count) bytes, at most 16384") }
        guard try cursor.bytes(0, 4, "signature") == Array("HCLA".utf8) else {
            throw Self.malformed("signature", 0, "'HCLA' expected")
        }
        version = try cursor.uint32(4, "version")
        guard (1...2).contains(version) else { throw Self.malformed("version", 4, "\(version), expected 1 or 2") }
        reportSize = try cursor.uint32(8, "report_size")
        requestType = try cursor.uint32(12, "request_type")
        guard requestType == 2 else { throw Self.malformed("request_type", 12, "\(requestType), expected 2") }
        status = try cursor.uint32(16, "status")
        guard status == 0 else { throw Self.malformed("status", 16, "\(status), expected 0") }
        try cursor.zeros(20, 12, "reserved")
        hardwareReport = try cursor.bytes(32, 1184, "hardware report")
        dataSize = try cursor.uint32(1216, "data_size")
        dataVersion = try cursor.uint32(1220, "version")
        guard dataVersion == 1 else { throw Self.malformed("version", 1220, "\(dataVersion), expected 1") }
        let type = try cursor.uint32(1224, "report_type")
        guard let reportType = ReportType(rawValue: type) else {
            throw Self.malformed("report_type", 1224, "\(type), expected 2 (SNP) or 4 (TDX)")
        }
        self.reportType = reportType
        hashAlgorithm = try Self.hash(try cursor.uint32(1228, "hash_type"))
        let variableSize = try cursor.uint32(1232, "variable_data_size")
        guard UInt64(dataSize) == 20 + UInt64(variableSize), UInt64(reportSize) == 1216 + UInt64(dataSize) else {
            throw Self.malformed(
                "variable_data_size", 1232,
                "\(variableSize) does not agree with data_size \(dataSize) and report_size \(reportSize)")
        }
        variableData = try cursor.bytes(1236, Int(variableSize), "variable data")
        padding = try cursor.bytes(cursor.remaining, "padding")
    }

    /// The digest that the hardware's REPORT_DATA must begin with; the rest of its 64 bytes is zero.
    public var variableDataDigest: [UInt8] { hashAlgorithm.digest(of: variableData) }

    private static let format = "HCL report"

    private static func hash(_ type: UInt32) throws(MalformedBytes) -> TPMHashAlgorithm {
        switch type {
        case 1: return .sha256
        case 2: return .sha384
        case 3: return .sha512
        default: throw malformed("hash_type", 1228, "\(type), expected 1, 2 or 3")
        }
    }

    private static func malformed(_ field: String, _ offset: Int, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: offset, reason: reason)
    }
}
