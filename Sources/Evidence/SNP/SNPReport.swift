// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// An SEV-SNP attestation report, decoded and not yet believed (AMD 56860, SEV-SNP Firmware ABI, ATTESTATION_REPORT).
///
/// 1,184 bytes; integers are little-endian. The signature covers the bytes before 0x2A0.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0x000 | 4 | VERSION | 2, 3 or 5 |
/// | 0x004 | 4 | GUEST_SVN | the guest's security version |
/// | 0x008 | 8 | POLICY | ``SNPGuestPolicy`` |
/// | 0x010 | 16 | FAMILY_ID | chosen at launch |
/// | 0x020 | 16 | IMAGE_ID | chosen at launch |
/// | 0x030 | 4 | VMPL | who asked, 0 (most privileged) to 3 |
/// | 0x034 | 4 | SIGNATURE_ALGO | 1: ECDSA P-384 with SHA-384 |
/// | 0x038 | 8 | CURRENT_TCB | ``SNPTCBVersion`` of the running firmware |
/// | 0x040 | 8 | PLATFORM_INFO | ``SNPPlatformInfo`` |
/// | 0x048 | 4 | flags | ``SNPSigningFlags`` |
/// | 0x04C | 4 | reserved | zero |
/// | 0x050 | 64 | REPORT_DATA | the guest's bytes |
/// | 0x090 | 48 | MEASUREMENT | launch digest, SHA-384 |
/// | 0x0C0 | 32 | HOST_DATA | the host's bytes |
/// | 0x0E0 | 48 | ID_KEY_DIGEST | SHA-384 of the id key, or zero |
/// | 0x110 | 48 | AUTHOR_KEY_DIGEST | SHA-384 of the author key, or zero |
/// | 0x140 | 32 | REPORT_ID | of this guest |
/// | 0x160 | 32 | REPORT_ID_MA | of its migration agent, all ones if none |
/// | 0x180 | 8 | REPORTED_TCB | what the signing key is derived from |
/// | 0x188 | 3 | CPUID family, model, stepping | from version 3; reserved before |
/// | 0x18B | 21 | reserved | zero |
/// | 0x1A0 | 64 | CHIP_ID | zero where masked; Turin: 8 bytes and zeros |
/// | 0x1E0 | 8 | COMMITTED_TCB | what cannot be rolled back |
/// | 0x1E8 | 3, 1 | CURRENT_BUILD, MINOR, MAJOR | firmware, and a reserved byte |
/// | 0x1EC | 3, 1 | COMMITTED_BUILD, MINOR, MAJOR | firmware, and a reserved byte |
/// | 0x1F0 | 8 | LAUNCH_TCB | at the guest's launch |
/// | 0x1F8 | 8, 8 | LAUNCH_MIT_VECTOR, CURRENT_MIT_VECTOR | from version 5; reserved before |
/// | 0x208 | 152 | reserved | zero |
/// | 0x2A0 | 72, 72 | SIGNATURE r, s | little-endian, the upper 24 bytes zero |
/// | 0x330 | 368 | reserved | zero |
public struct SNPReport: Hashable, Sendable {
    /// Bytes of a report, whatever its version.
    public static let size = 0x4A0

    public let version: UInt32
    public let guestSVN: UInt32
    public let policy: SNPGuestPolicy
    /// 16 bytes.
    public let familyID: [UInt8]
    /// 16 bytes.
    public let imageID: [UInt8]
    public let vmpl: UInt32
    public let signatureAlgorithm: UInt32
    public let currentTCB: SNPTCBVersion
    public let platformInfo: SNPPlatformInfo
    public let flags: SNPSigningFlags
    /// 64 bytes.
    public let reportData: [UInt8]
    /// 48 bytes.
    public let measurement: [UInt8]
    /// 32 bytes.
    public let hostData: [UInt8]
    /// 48 bytes.
    public let idKeyDigest: [UInt8]
    /// 48 bytes.
    public let authorKeyDigest: [UInt8]
    /// 32 bytes.
    public let reportID: [UInt8]
    /// 32 bytes.
    public let reportIDMA: [UInt8]
    public let reportedTCB: SNPTCBVersion
    /// `nil` before version 3.
    public let cpuid: SNPProcessorID?
    /// 64 bytes.
    public let chipID: [UInt8]
    public let committedTCB: SNPTCBVersion
    public let currentFirmware: SNPFirmwareVersion
    public let committedFirmware: SNPFirmwareVersion
    public let launchTCB: SNPTCBVersion
    /// `nil` before version 5.
    public let mitigations: SNPMitigationVectors?
    /// r and s, 48 bytes each, big-endian.
    public let signature: [UInt8]
    /// The bytes that the signature covers, as they came.
    public let signedBytes: [UInt8]

    /// Throws at another length, an unknown version, and reserved bytes or bits that are not zero.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "SNP report")
        version = try cursor.uint32(0x000, "VERSION")
        guard [2, 3, 5].contains(version) else {
            throw MalformedBytes(
                format: "SNP report", field: "VERSION", offset: 0, reason: "\(version), expected 2, 3 or 5")
        }
        guestSVN = try cursor.uint32(0x004, "GUEST_SVN")
        policy = try SNPGuestPolicy(rawValue: try cursor.uint64(0x008, "POLICY"))
        familyID = try cursor.bytes(0x010, 16, "FAMILY_ID")
        imageID = try cursor.bytes(0x020, 16, "IMAGE_ID")
        vmpl = try cursor.uint32(0x030, "VMPL")
        signatureAlgorithm = try cursor.uint32(0x034, "SIGNATURE_ALGO")
        currentTCB = SNPTCBVersion(try cursor.uint64(0x038, "CURRENT_TCB"))
        platformInfo = SNPPlatformInfo(rawValue: try cursor.uint64(0x040, "PLATFORM_INFO"))
        flags = try SNPSigningFlags(rawValue: try cursor.uint32(0x048, "SIGNING_KEY, MASK_CHIP_KEY, AUTHOR_KEY_EN"))
        try cursor.zeros(0x04C, 4, "reserved")
        reportData = try cursor.bytes(0x050, 64, "REPORT_DATA")
        measurement = try cursor.bytes(0x090, 48, "MEASUREMENT")
        hostData = try cursor.bytes(0x0C0, 32, "HOST_DATA")
        idKeyDigest = try cursor.bytes(0x0E0, 48, "ID_KEY_DIGEST")
        authorKeyDigest = try cursor.bytes(0x110, 48, "AUTHOR_KEY_DIGEST")
        reportID = try cursor.bytes(0x140, 32, "REPORT_ID")
        reportIDMA = try cursor.bytes(0x160, 32, "REPORT_ID_MA")
        reportedTCB = SNPTCBVersion(try cursor.uint64(0x180, "REPORTED_TCB"))
        cpuid = try SNPProcessorID(&cursor, version: version)
        try cursor.zeros(0x18B, 21, "reserved")
        chipID = try cursor.bytes(0x1A0, 64, "CHIP_ID")
        committedTCB = SNPTCBVersion(try cursor.uint64(0x1E0, "COMMITTED_TCB"))
        currentFirmware = SNPFirmwareVersion(try cursor.bytes(0x1E8, 3, "CURRENT_BUILD, _MINOR, _MAJOR"))
        try cursor.zeros(0x1EB, 1, "reserved")
        committedFirmware = SNPFirmwareVersion(try cursor.bytes(0x1EC, 3, "COMMITTED_BUILD, _MINOR, _MAJOR"))
        try cursor.zeros(0x1EF, 1, "reserved")
        launchTCB = SNPTCBVersion(try cursor.uint64(0x1F0, "LAUNCH_TCB"))
        mitigations = try SNPMitigationVectors(&cursor, version: version)
        try cursor.zeros(0x208, 152, "reserved")
        signature = try Self.signature(&cursor)
        try cursor.zeros(0x330, 368, "reserved")
        try cursor.end(Self.size)
        signedBytes = Array(bytes[..<0x2A0])
    }

    private static func signature(_ cursor: inout ByteCursor) throws(MalformedBytes) -> [UInt8] {
        let r = try cursor.bytes(0x2A0, 48, "SIGNATURE r")
        try cursor.zeros(0x2D0, 24, "SIGNATURE r, bytes 48 to 71")
        let s = try cursor.bytes(0x2E8, 48, "SIGNATURE s")
        try cursor.zeros(0x318, 24, "SIGNATURE s, bytes 48 to 71")
        return r.reversed() + s.reversed()
    }
}
