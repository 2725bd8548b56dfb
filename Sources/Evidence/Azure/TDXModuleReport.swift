// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A TDREPORT: what a TDX module says of a TD to the machine it runs on, under a MAC that only that machine can check
/// (Intel TDX Module ABI, TDREPORT_STRUCT). It proves nothing elsewhere; a quote does.
///
/// 1,024 bytes, of which these fields are read.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 128 | 64 | REPORTMACSTRUCT.REPORTDATA | the TD's bytes |
/// | 512 | 8 | TDINFO.ATTRIBUTES | |
/// | 520 | 8 | TDINFO.XFAM | |
/// | 528 | 48 | TDINFO.MRTD | measurement of the TD's initial memory |
public struct TDXModuleReport: Hashable, Sendable {
    public static let size = 1024

    /// 64 bytes.
    public let reportData: [UInt8]
    public let attributes: TDAttributes
    public let xfam: UInt64
    /// 48 bytes.
    public let mrTD: [UInt8]

    /// Throws where there are fewer than 1,024 bytes, or something but zeros after them.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "TDREPORT")
        _ = try cursor.bytes(0, 128, "REPORTMACSTRUCT")
        reportData = try cursor.bytes(128, 64, "REPORTDATA")
        _ = try cursor.bytes(192, 320, "REPORTMACSTRUCT, TEE_TCB_INFO")
        attributes = TDAttributes(rawValue: try cursor.uint64(512, "ATTRIBUTES"))
        xfam = try cursor.uint64(520, "XFAM")
        mrTD = try cursor.bytes(528, 48, "MRTD")
        _ = try cursor.bytes(576, Self.size - 576, "TDINFO")
        try cursor.zeros(Self.size, cursor.remaining, "padding")
    }
}
