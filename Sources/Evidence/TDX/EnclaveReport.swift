// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// An SGX enclave's report, of the quoting enclave or of an application, decoded and not yet believed
/// (Intel SDM 3D, REPORT; without its MAC).
///
/// 384 bytes; integers are little-endian.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 16 | CPUSVN | the processor's security version |
/// | 16 | 4 | MISCSELECT | which extended features are saved |
/// | 20 | 12 | reserved | zero |
/// | 32 | 16 | ISVEXTPRODID | extended product id |
/// | 48 | 16 | ATTRIBUTES | flags and XFRM; bit 1 is DEBUG |
/// | 64 | 32 | MRENCLAVE | measurement |
/// | 96 | 32 | reserved | zero |
/// | 128 | 32 | MRSIGNER | digest of the signer's key |
/// | 160 | 32 | reserved | zero |
/// | 192 | 64 | CONFIGID | configuration |
/// | 256 | 2 | ISVPRODID | product id |
/// | 258 | 2 | ISVSVN | security version of the enclave |
/// | 260 | 2 | CONFIGSVN | security version of the configuration |
/// | 262 | 42 | reserved | zero |
/// | 304 | 16 | ISVFAMILYID | family id |
/// | 320 | 64 | REPORTDATA | the enclave's bytes |
public struct EnclaveReport: Hashable, Sendable {
    public static let size = 384

    public let cpuSVN: [UInt8]
    public let miscSelect: [UInt8]
    public let isvExtProductID: [UInt8]
    public let attributes: [UInt8]
    public let mrEnclave: [UInt8]
    public let mrSigner: [UInt8]
    public let configID: [UInt8]
    public let isvProductID: UInt16
    public let isvSVN: UInt16
    public let configSVN: UInt16
    public let isvFamilyID: [UInt8]
    public let reportData: [UInt8]

    /// ATTRIBUTES.DEBUG: the enclave's memory can be read from outside.
    public var isDebug: Bool { attributes[0] & 2 != 0 }

    /// Throws at another length, and at reserved bytes that are not zero.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "SGX report")
        cpuSVN = try cursor.bytes(0, 16, "CPUSVN")
        miscSelect = try cursor.bytes(16, 4, "MISCSELECT")
        try cursor.zeros(20, 12, "reserved")
        isvExtProductID = try cursor.bytes(32, 16, "ISVEXTPRODID")
        attributes = try cursor.bytes(48, 16, "ATTRIBUTES")
        mrEnclave = try cursor.bytes(64, 32, "MRENCLAVE")
        try cursor.zeros(96, 32, "reserved")
        mrSigner = try cursor.bytes(128, 32, "MRSIGNER")
        try cursor.zeros(160, 32, "reserved")
        configID = try cursor.bytes(192, 64, "CONFIGID")
        isvProductID = try cursor.uint16(256, "ISVPRODID")
        isvSVN = try cursor.uint16(258, "ISVSVN")
        configSVN = try cursor.uint16(260, "CONFIGSVN")
        try cursor.zeros(262, 42, "reserved")
        isvFamilyID = try cursor.bytes(304, 16, "ISVFAMILYID")
        reportData = try cursor.bytes(320, 64, "REPORTDATA")
        try cursor.end(Self.size)
    }

    /// The report's 384 bytes, made of its fields.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.append(cpuSVN + miscSelect)
        writer.zeros(12)
        writer.append(isvExtProductID + attributes + mrEnclave)
        writer.zeros(32)
        writer.append(mrSigner)
        writer.zeros(32)
        writer.append(configID)
        for number in [isvProductID, isvSVN, configSVN] { writer.littleEndian(number) }
        writer.zeros(42)
        writer.append(isvFamilyID + reportData)
        return writer.bytes
    }
}
