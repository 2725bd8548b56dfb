// SPDX-License-Identifier: Apache-2.0
public import Evidence

/// What a verifier wants of an SEV-SNP guest.
public struct SNPPolicy: Hashable, Sendable {
    /// Accepts guests that the host may read and write (POLICY.DEBUG).
    public var acceptDebugGuestsUnsafely = false
    /// Accepts guests that a migration agent may move (POLICY.MIGRATE_MA): it can read them.
    public var acceptMigrationAgents = false
    /// The least privileged level that may have asked for the report, 0 to 3. Reports that the host asked for have
    /// 0xFFFFFFFF, and are never accepted.
    public var maximumVMPL: UInt32 = 3
    /// Security versions that REPORTED_TCB must reach, each for itself. Not checked for products that are missing.
    public var minimumTCB: [SNPProduct: SNPTCBParts] = [:]
    /// 48 bytes that AUTHOR_KEY_DIGEST must equal. Not checked if `nil`.
    public var authorKeyDigest: [UInt8]?

    public init() {}
}
