// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// Family, model and stepping of the processor, as CPUID gives them (SNP report 0x188, from version 3).
public struct SNPProcessorID: Hashable, Sendable {
    public let family: UInt8
    public let model: UInt8
    public let stepping: UInt8

    /// `nil` where the version has no such fields; they are reserved there, and must be zero.
    init?(_ cursor: inout ByteCursor, version: UInt32) throws(MalformedBytes) {
        guard version >= 3 else {
            try cursor.zeros(0x188, 3, "reserved")
            return nil
        }
        family = try cursor.uint8(0x188, "CPUID_FAM_ID")
        model = try cursor.uint8(0x189, "CPUID_MOD_ID")
        stepping = try cursor.uint8(0x18A, "CPUID_STEP")
    }

    /// The product line whose keys sign for this processor; `nil` for one that is not known.
    public var product: SNPProduct? { SNPProduct(family: family, model: model) }
}

/// A firmware version: major, minor, build (SNP report 0x1E8 and 0x1EC, where they stand the other way round).
public struct SNPFirmwareVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let major: UInt8
    public let minor: UInt8
    public let build: UInt8

    public init(major: UInt8, minor: UInt8, build: UInt8) {
        self.major = major
        self.minor = minor
        self.build = build
    }

    init(_ buildMinorMajor: [UInt8]) {
        (build, minor, major) = (buildMinorMajor[0], buildMinorMajor[1], buildMinorMajor[2])
    }

    public var description: String { "\(major).\(minor).\(build)" }

    public static func < (left: SNPFirmwareVersion, right: SNPFirmwareVersion) -> Bool {
        (left.major, left.minor, left.build) < (right.major, right.minor, right.build)
    }
}

/// Which mitigations the firmware applied, a bit each (SNP report 0x1F8 and 0x200, from version 5).
public struct SNPMitigationVectors: Hashable, Sendable {
    public let launch: UInt64
    public let current: UInt64

    /// `nil` where the version has no such fields; they are reserved there, and must be zero.
    init?(_ cursor: inout ByteCursor, version: UInt32) throws(MalformedBytes) {
        guard version >= 5 else {
            try cursor.zeros(0x1F8, 16, "reserved")
            return nil
        }
        launch = try cursor.uint64(0x1F8, "LAUNCH_MIT_VECTOR")
        current = try cursor.uint64(0x200, "CURRENT_MIT_VECTOR")
    }
}

/// What the platform is set up for (SNP report 0x040, PLATFORM_INFO). Bits that have no name here are kept: new
/// firmware sets them, and none of them weakens what the others say.
public struct SNPPlatformInfo: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// SMT_EN: hyper-threading is on.
    public static let smtEnabled = Self(rawValue: 1 << 0)
    /// TSME_EN: all memory is encrypted, transparently.
    public static let tsmeEnabled = Self(rawValue: 1 << 1)
    /// ECC_EN: memory has error correction.
    public static let eccEnabled = Self(rawValue: 1 << 2)
    /// RAPL_DIS: the power meter is off.
    public static let raplDisabled = Self(rawValue: 1 << 3)
    /// CIPHERTEXT_HIDING_DRAM_EN: the host cannot read ciphertext.
    public static let ciphertextHidingEnabled = Self(rawValue: 1 << 4)
    /// ALIAS_CHECK_COMPLETE: no memory appears twice.
    public static let aliasCheckComplete = Self(rawValue: 1 << 5)
    /// TIO_EN: trusted input and output.
    public static let trustedIOEnabled = Self(rawValue: 1 << 7)
}

/// Which key signed (SNP report 0x048).
public struct SNPSigningFlags: Hashable, Sendable {
    public let rawValue: UInt32

    /// SIGNING_KEY, bits 4 to 2.
    public enum SigningKey: UInt32, CaseIterable, Sendable {
        /// The chip's own key.
        case vcek = 0
        /// A key that AMD gave to a cloud provider.
        case vlek = 1
        /// The report is not signed.
        case none = 7
    }

    public let signingKey: SigningKey

    /// Throws at reserved bits and reserved keys.
    public init(rawValue: UInt32) throws(MalformedBytes) {
        guard rawValue >> 5 == 0 else { throw Self.malformed("bits 31 to 5 are reserved, must be zero") }
        guard let key = SigningKey(rawValue: rawValue >> 2 & 7) else {
            throw Self.malformed("SIGNING_KEY \(rawValue >> 2 & 7) is reserved")
        }
        self.rawValue = rawValue
        signingKey = key
    }

    /// AUTHOR_KEY_EN: AUTHOR_KEY_DIGEST means something.
    public var authorKeyEnabled: Bool { rawValue & 1 != 0 }
    /// MASK_CHIP_KEY: the chip's id and key are withheld from guests.
    public var masksChipKey: Bool { rawValue & 2 != 0 }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "SNP report", field: "SIGNING_KEY", offset: 0x048, reason: reason)
    }
}
