// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What a guest's owner demanded of the platform at launch (AMD 56860, GUEST_POLICY).
///
/// | bits | field | meaning if one |
/// |---|---|---|
/// | 7:0, 15:8 | ABI_MINOR, ABI_MAJOR | the least firmware ABI |
/// | 16 | SMT | hyper-threading is allowed |
/// | 17 | reserved | must be one |
/// | 18 | MIGRATE_MA | a migration agent is allowed |
/// | 19 | DEBUG | the host may read and write the guest |
/// | 20 | SINGLE_SOCKET | only one socket |
/// | 21 | CXL_ALLOW | CXL devices are allowed |
/// | 22 | MEM_AES_256_XTS | memory is encrypted with AES-256-XTS |
/// | 23 | RAPL_DIS | the power meter must be off |
/// | 24 | CIPHERTEXT_HIDING_DRAM | ciphertext must be hidden |
/// | 25 | PAGE_SWAP_DISABLE | pages must not be swapped |
/// | 63:26 | reserved | must be zero |
public struct SNPGuestPolicy: Hashable, Sendable {
    public let rawValue: UInt64

    /// Throws where bit 17 is zero or a reserved bit is one.
    public init(rawValue: UInt64) throws(MalformedBytes) {
        guard rawValue >> 17 & 1 == 1 else { throw Self.malformed("bit 17 is reserved, must be one") }
        guard rawValue >> 26 == 0 else { throw Self.malformed("bits 63 to 26 are reserved, must be zero") }
        self.rawValue = rawValue
    }

    public var abiMinor: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    public var abiMajor: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
    public var allowsSMT: Bool { bit(16) }
    public var allowsMigrationAgent: Bool { bit(18) }
    public var allowsDebug: Bool { bit(19) }
    public var requiresSingleSocket: Bool { bit(20) }
    public var allowsCXL: Bool { bit(21) }
    public var requiresAES256XTS: Bool { bit(22) }
    public var requiresRAPLDisabled: Bool { bit(23) }
    public var requiresCiphertextHiding: Bool { bit(24) }
    public var requiresPageSwapDisabled: Bool { bit(25) }

    private func bit(_ index: UInt64) -> Bool { rawValue >> index & 1 == 1 }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "SNP report", field: "POLICY", offset: 0x008, reason: reason)
    }
}
