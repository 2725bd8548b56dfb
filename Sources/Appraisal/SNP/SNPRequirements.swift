// SPDX-License-Identifier: Apache-2.0
internal import Evidence

/// Something that a guest's owner can demand of the platform at launch: a bit of POLICY (AMD 56860, GUEST_POLICY). The
/// firmware launches no guest whose demands it cannot meet.
public enum SNPGuestRequirement: String, CaseIterable, Sendable {
    /// SMT is zero: no hyper-threading.
    case noSMT
    /// SINGLE_SOCKET is one: memory and cores of one socket.
    case singleSocket
    /// CXL_ALLOW is zero: no memory or devices over CXL.
    case noCXL
    /// MEM_AES_256_XTS is one: memory is encrypted with AES-256-XTS.
    case aes256XTS
    /// RAPL_DIS is one: the power meter is off.
    case raplDisabled
    /// CIPHERTEXT_HIDING_DRAM is one: the host cannot read ciphertext.
    case ciphertextHiding
    /// PAGE_SWAP_DISABLE is one: the host cannot swap or move pages.
    case pageSwapDisabled

    func isMet(by policy: SNPGuestPolicy) -> Bool {
        switch self {
        case .noSMT: !policy.allowsSMT
        case .singleSocket: policy.requiresSingleSocket
        case .noCXL: !policy.allowsCXL
        case .aes256XTS: policy.requiresAES256XTS
        case .raplDisabled: policy.requiresRAPLDisabled
        case .ciphertextHiding: policy.requiresCiphertextHiding
        case .pageSwapDisabled: policy.requiresPageSwapDisabled
        }
    }

    /// The manual's name of the bit, and the value that meets the requirement.
    var field: (name: String, wanted: Int) {
        switch self {
        case .noSMT: ("POLICY.SMT", 0)
        case .singleSocket: ("POLICY.SINGLE_SOCKET", 1)
        case .noCXL: ("POLICY.CXL_ALLOW", 0)
        case .aes256XTS: ("POLICY.MEM_AES_256_XTS", 1)
        case .raplDisabled: ("POLICY.RAPL_DIS", 1)
        case .ciphertextHiding: ("POLICY.CIPHERTEXT_HIDING_DRAM", 1)
        case .pageSwapDisabled: ("POLICY.PAGE_SWAP_DISABLE", 1)
        }
    }
}

/// Something that can hold of the platform: a bit of PLATFORM_INFO.
public enum SNPPlatformRequirement: String, CaseIterable, Sendable {
    /// SMT_EN is zero: hyper-threading is off.
    case noSMT
    /// TSME_EN is one: all memory is encrypted.
    case tsme
    /// ECC_EN is one: memory has error correction.
    case ecc
    /// RAPL_DIS is one: the power meter is off.
    case raplDisabled
    /// CIPHERTEXT_HIDING_DRAM_EN is one: the host cannot read ciphertext.
    case ciphertextHiding
    /// ALIAS_CHECK_COMPLETE is one: no memory appears at two addresses.
    case aliasCheck

    func isMet(by info: SNPPlatformInfo) -> Bool { info.contains(bit) == (field.wanted == 1) }

    /// The manual's name of the bit, and the value that meets the requirement.
    var field: (name: String, wanted: Int) {
        switch self {
        case .noSMT: ("PLATFORM_INFO.SMT_EN", 0)
        case .tsme: ("PLATFORM_INFO.TSME_EN", 1)
        case .ecc: ("PLATFORM_INFO.ECC_EN", 1)
        case .raplDisabled: ("PLATFORM_INFO.RAPL_DIS", 1)
        case .ciphertextHiding: ("PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN", 1)
        case .aliasCheck: ("PLATFORM_INFO.ALIAS_CHECK_COMPLETE", 1)
        }
    }

    private var bit: SNPPlatformInfo {
        switch self {
        case .noSMT: .smtEnabled
        case .tsme: .tsmeEnabled
        case .ecc: .eccEnabled
        case .raplDisabled: .raplDisabled
        case .ciphertextHiding: .ciphertextHidingEnabled
        case .aliasCheck: .aliasCheckComplete
        }
    }
}

/// A version of the interface between guests and firmware: 1.55 (POLICY.ABI_MAJOR, ABI_MINOR).
public struct SNPABIVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let major: UInt8
    public let minor: UInt8

    public init(major: UInt8, minor: UInt8) {
        self.major = major
        self.minor = minor
    }

    public var description: String { "\(major).\(minor)" }

    public static func < (left: SNPABIVersion, right: SNPABIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
