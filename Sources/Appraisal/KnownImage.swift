// SPDX-License-Identifier: Apache-2.0

/// A reference value (RFC 9334, section 8.3): what the registers of a platform hold when it launched an image that
/// somebody vouches for.
public struct KnownImage: Hashable, Sendable {
    /// Compared by its family: see ``Platform/family``.
    public var platform: Platform
    /// What it is of, for people: "cupel-guest".
    public var name: String
    /// "1.2.0".
    public var version: String
    /// By the register's name in its manual: MEASUREMENT (SNP, 48 bytes); MRTD, MRCONFIGID, RTMR0 to RTMR3 (TDX,
    /// 48 bytes); PCR0 to PCR23 (TPM, SHA-256 bank, 32 bytes). All of them must agree; those that are not named are
    /// not compared.
    public var registers: [String: [UInt8]]

    public init(platform: Platform, name: String, version: String, registers: [String: [UInt8]]) {
        self.platform = platform
        self.name = name
        self.version = version
        self.registers = registers
    }
}
