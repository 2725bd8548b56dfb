// SPDX-License-Identifier: Apache-2.0
public import Evidence

/// What a verifier wants of an SEV-SNP guest. The defaults accept every genuine guest that neither its host nor a
/// migration agent can read; the rest is for those who know their machines.
public struct SNPPolicy: Hashable, Sendable {
    /// Accepts guests that the host may read and write (POLICY.DEBUG).
    public var acceptDebugGuestsUnsafely = false
    /// Accepts guests that a migration agent may move (POLICY.MIGRATE_MA): it can read them.
    public var acceptMigrationAgents = false
    /// The least privileged level that may have asked for the report, 0 to 3. Reports that the host asked for have
    /// 0xFFFFFFFF, and are never accepted.
    public var maximumVMPL: UInt32 = 3

    /// Product lines that are accepted. Not checked if `nil`.
    public var products: Set<SNPProduct>?
    /// Kinds of keys that may have signed: a VCEK is of one chip, a VLEK of a cloud provider. Not checked if `nil`.
    public var signingKeys: Set<SNPSigningFlags.SigningKey>?
    /// Cloud providers whose VLEK is accepted, as AMD's certificate names them (CSP_ID): "CN=cc-us-east-2.amazonaws.com".
    /// A VCEK names none. Not checked if `nil`.
    public var providers: Set<String>?
    /// Chips that are accepted, by the id in the VCEK certificate: 64 bytes, 8 from Turin on. A VLEK names none. Not
    /// checked if `nil`.
    public var chipIDs: Set<[UInt8]>?
    /// Accepts reports under a VCEK whose host masks CHIP_ID; the VCEK certificate still says which chip it is.
    public var acceptMaskedChipIDs = false
    /// Refuses where no revocation list of AMD's is at hand that is in force.
    public var requireRevocationList = false

    /// Security versions that REPORTED_TCB must reach, each for itself; `fmc` is not checked if `nil`. Not checked if
    /// empty; otherwise a product that is missing is refused.
    public var minimumTCB: [SNPProduct: SNPTCBParts] = [:]
    /// Security versions that LAUNCH_TCB must reach, each for itself; `fmc` is not checked if `nil`. Not checked if empty;
    /// otherwise a product that is missing is refused.
    public var minimumLaunchTCB: [SNPProduct: SNPTCBParts] = [:]
    /// Refuses firmware that its host can still roll back: CURRENT_TCB and the current version must be what is
    /// committed.
    public var requireCommittedFirmware = false
    /// The least firmware version, which CURRENT_MAJOR, CURRENT_MINOR and CURRENT_BUILD must reach. Not checked if
    /// `nil`.
    public var minimumFirmware: SNPFirmwareVersion?
    /// Mitigations that must have been active when the guest was launched, bits of LAUNCH_MIT_VECTOR. Reports before
    /// version 5 have none. Not checked if `nil`.
    public var requiredLaunchMitigations: UInt64?
    /// Mitigations that must be active, bits of CURRENT_MIT_VECTOR. Reports before version 5 have none. Not checked if
    /// `nil`.
    public var requiredMitigations: UInt64?
    /// What must hold of the platform (PLATFORM_INFO).
    public var platformRequirements: Set<SNPPlatformRequirement> = []

    /// What the guest's owner must have demanded of the platform (POLICY), which the firmware enforces.
    public var guestRequirements: Set<SNPGuestRequirement> = []
    /// The least firmware interface that the guest's owner must have demanded, POLICY.ABI_MAJOR and ABI_MINOR. Not
    /// checked if `nil`.
    public var minimumABI: SNPABIVersion?
    /// The least GUEST_SVN. Not checked if `nil`.
    public var minimumGuestSVN: UInt32?
    /// 16 bytes that FAMILY_ID must equal. Not checked if `nil`.
    public var familyID: [UInt8]?
    /// 16 bytes that IMAGE_ID must equal. Not checked if `nil`.
    public var imageID: [UInt8]?
    /// 32 bytes that HOST_DATA must equal. Not checked if `nil`.
    public var hostData: [UInt8]?
    /// 48 bytes that ID_KEY_DIGEST must equal. Not checked if `nil`.
    public var idKeyDigest: [UInt8]?
    /// 48 bytes that AUTHOR_KEY_DIGEST must equal. Not checked if `nil`.
    public var authorKeyDigest: [UInt8]?

    public init() {}
}
