// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The part of a TDX quote that describes the trust domain, decoded and not yet believed (Intel TDX DCAP Quoting
/// Library API, TD Quote Body 1.0 and 1.5).
///
/// 584 bytes (1.0) or 648 bytes (1.5).
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 16 | TEE_TCB_SVN | security versions of the TDX module |
/// | 16 | 48 | MRSEAM | measurement of the TDX module |
/// | 64 | 48 | MRSIGNERSEAM | its signer, zero for Intel's |
/// | 112 | 8 | SEAMATTRIBUTES | zero for a production module |
/// | 120 | 8 | TDATTRIBUTES | ``TDAttributes`` |
/// | 128 | 8 | XFAM | processor features of the TD |
/// | 136 | 48 | MRTD | measurement of the TD's initial memory |
/// | 184 | 48 | MRCONFIGID | chosen at launch |
/// | 232 | 48 | MROWNER | chosen at launch |
/// | 280 | 48 | MROWNERCONFIG | chosen at launch |
/// | 328 | 4 × 48 | RTMR0 to RTMR3 | what was extended at run time |
/// | 520 | 64 | REPORTDATA | the TD's bytes |
/// | 584 | 16 | TEE_TCB_SVN_2 | 1.5: security versions of the module that runs now |
/// | 600 | 48 | MRSERVICETD | 1.5: measurement of the service TDs bound to it |
public struct TDReport: Hashable, Sendable {
    public static let size10 = 584
    public static let size15 = 648

    public let teeTCBSVN: [UInt8]
    public let mrSeam: [UInt8]
    public let mrSignerSeam: [UInt8]
    public let seamAttributes: UInt64
    public let attributes: TDAttributes
    public let xfam: UInt64
    public let mrTD: [UInt8]
    public let mrConfigID: [UInt8]
    public let mrOwner: [UInt8]
    public let mrOwnerConfig: [UInt8]
    /// Four registers of 48 bytes.
    public let rtmrs: [[UInt8]]
    public let reportData: [UInt8]
    /// `nil` in version 1.0.
    public let extended: Extended?

    /// What version 1.5 adds.
    public struct Extended: Hashable, Sendable {
        /// 16 bytes.
        public let teeTCBSVN2: [UInt8]
        /// 48 bytes.
        public let mrServiceTD: [UInt8]
    }

    /// Throws at a length other than that of 1.0 and 1.5.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "TD report")
        teeTCBSVN = try cursor.bytes(0, 16, "TEE_TCB_SVN")
        mrSeam = try cursor.bytes(16, 48, "MRSEAM")
        mrSignerSeam = try cursor.bytes(64, 48, "MRSIGNERSEAM")
        seamAttributes = try cursor.uint64(112, "SEAMATTRIBUTES")
        attributes = TDAttributes(rawValue: try cursor.uint64(120, "TDATTRIBUTES"))
        xfam = try cursor.uint64(128, "XFAM")
        mrTD = try cursor.bytes(136, 48, "MRTD")
        mrConfigID = try cursor.bytes(184, 48, "MRCONFIGID")
        mrOwner = try cursor.bytes(232, 48, "MROWNER")
        mrOwnerConfig = try cursor.bytes(280, 48, "MROWNERCONFIG")
        rtmrs = [
            try cursor.bytes(328, 48, "RTMR0"), try cursor.bytes(376, 48, "RTMR1"),
            try cursor.bytes(424, 48, "RTMR2"), try cursor.bytes(472, 48, "RTMR3"),
        ]
        reportData = try cursor.bytes(520, 64, "REPORTDATA")
        guard cursor.remaining > 0 else {
            extended = nil
            return
        }
        extended = Extended(
            teeTCBSVN2: try cursor.bytes(584, 16, "TEE_TCB_SVN_2"),
            mrServiceTD: try cursor.bytes(600, 48, "MRSERVICETD"))
        try cursor.end(Self.size15)
    }

    /// The body's 584 or 648 bytes, made of its fields.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.append(teeTCBSVN + mrSeam + mrSignerSeam)
        for number in [seamAttributes, attributes.rawValue, xfam] { writer.littleEndian(number) }
        writer.append(mrTD + mrConfigID + mrOwner + mrOwnerConfig + rtmrs.flatMap(\.self) + reportData)
        if let extended { writer.append(extended.teeTCBSVN2 + extended.mrServiceTD) }
        return writer.bytes
    }
}

/// How a trust domain was set up (Intel TDX Module ABI, TD_ATTRIBUTES). The bits that have no name here are
/// reserved, or belong to modules that come later.
public struct TDAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// DEBUG: the host can read and write the TD.
    public static let debug = Self(rawValue: 1 << 0)
    /// SEPT_VE_DISABLE: the host cannot inject exceptions by unmapping pages.
    public static let septVEDisable = Self(rawValue: 1 << 28)
    /// MIGRATABLE: the TD can be moved to another machine.
    public static let migratable = Self(rawValue: 1 << 29)
    /// PKS: supervisor protection keys.
    public static let pks = Self(rawValue: 1 << 30)
    /// KL: key locker.
    public static let keyLocker = Self(rawValue: 1 << 31)
    /// PERFMON: the TD can use the performance counters.
    public static let perfmon = Self(rawValue: 1 << 63)
    /// TUD: the bits 0 to 7, which each take away the TD's protection.
    public static let underDebug = Self(rawValue: 0xFF)
}
