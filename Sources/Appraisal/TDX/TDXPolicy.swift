// SPDX-License-Identifier: Apache-2.0

/// What a verifier wants of a trust domain, its platform and its quoting enclave.
public struct TDXPolicy: Hashable, Sendable {
    /// Intel's quoting enclaves.
    public static let intelQEVendorID: [UInt8] = [
        0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07,
    ]

    /// What Intel may say of the platform's TCB. The default accepts nothing that Intel finds wanting; a platform with
    /// `SWHardeningNeeded` is sound where its software is, which only its owner can know. `Revoked` is never accepted.
    public var acceptedTCBStatuses: Set<TCBStatus> = [.upToDate]
    /// The advisories ("INTEL-SA-01036") that may apply to the platform; with another one it is refused, whatever its
    /// status. Not checked if `nil`: the status has weighed them.
    public var acceptedAdvisories: Set<String>?
    /// The least `tcbEvaluationDataNumber` of the collateral: what Intel knew when it judged. Not checked if `nil`.
    public var minimumTCBEvaluationDataNumber: Int?
    /// 16 security versions that TEE_TCB_SVN must reach, each for itself. Not checked if `nil`.
    public var minimumTEETCBSVN: [UInt8]?
    /// The TDX modules that may run, 48 bytes each. Not checked if `nil`: Intel's signature on the module is.
    public var acceptedMRSEAMs: Set<[UInt8]>?
    /// 16 bytes, who made the quoting enclave. Not checked if `nil`: its signer and product always are.
    public var qeVendorID: [UInt8]? = intelQEVendorID

    /// Accepts TDs that the host may read and write, or profile (TDATTRIBUTES.TUD: DEBUG and its neighbours).
    public var acceptDebugGuestsUnsafely = false
    /// Accepts bits of TDATTRIBUTES that have no meaning known here.
    public var acceptReservedAttributesUnsafely = false
    /// Requires SEPT_VE_DISABLE, without which the host can inject exceptions by unmapping pages. TDs with a paravisor
    /// (Azure's on its first machines) do without, for it takes the exceptions itself.
    public var requireSEPTVEDisable = true
    /// Accepts TDs that can be moved to another machine (MIGRATABLE): their service TD decides where to.
    public var acceptMigratable = false
    /// The service TDs that may be bound to the TD, by MRSERVICETD (48 bytes), besides none. A service TD can do to
    /// the TD what its kind allows: a migration TD can move it.
    public var acceptedServiceTDs: Set<[UInt8]> = []
    /// Accepts any service TD.
    public var acceptAnyServiceTDUnsafely = false
    /// Accepts TDs that use the performance counters (PERFMON), as they may for themselves without harm.
    public var acceptPerformanceCounters = true
    /// Accepts TDs with protection keys for supervisor pages (PKS), which are for the TD's own kernel.
    public var acceptSupervisorKeys = true
    /// Accepts TDs with Key Locker (KL), whose keys are kept outside of what is measured.
    public var acceptKeyLocker = false

    /// 48 bytes each that the TD must have been launched with. Not checked if `nil`.
    public var mrConfigID: [UInt8]?
    public var mrOwner: [UInt8]?
    public var mrOwnerConfig: [UInt8]?
    /// What the run-time registers must hold, by number from 0 to 3, 48 bytes each. Not checked where missing.
    public var rtmrs: [Int: [UInt8]] = [:]

    public init() {}
}
