// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import Builds
public import ByteCoding

/// What a verifier wants of a bundle. The defaults ask for hardware that its vendor calls sound, an image that the
/// verifier knows, and nothing of the provenance but that it is whole.
public struct VerificationPolicy: Hashable, Sendable {
    /// The nonce that was sent with the build. Freshness is not checked if `nil`, and the report says so.
    public var nonce: Nonce?
    /// Refuses where no nonce was asked for.
    public var requiresNonce = false
    public var appraisal: AppraisalPolicy
    /// Seconds since 1970 at which dates are judged; if `nil`, no evidence that has dates is accepted.
    public var now: Int64?
    /// Where ``now`` comes from, which the report says.
    public var timeSource = TimeSource.clock
    /// What the verifier's clock says, where ``now`` is another time.
    public var present: Int64?
    /// Whether ``TimeSource/build`` may be used; else the clock is, whatever comes with a bundle.
    public var acceptsBuildTime = true
    /// The families of platforms that are accepted; all that can be appraised if empty.
    public var platforms: Set<Platform> = []
    /// Ed25519 keys, 32 bytes each, that may sign `software` evidence; any if empty.
    public var softwareKeys: Set<[UInt8]> = []
    public var provenance = ProvenancePolicy()
    /// Each must show an input of the bundle.
    public var inputProofs: [InputProofFile] = []
    /// The events that the requester saw, which must be those of the build.
    public var seenEvents: SeenEvents?
    /// Asks for several bundles that agree; see ``verify(_:policy:)-(_,_)``.
    public var quorum: PlatformQuorum?
    /// The file that the policy was read from, for ``VerificationSummary``.
    public var file: PolicyFileName?

    public init(nonce: Nonce? = nil, appraisal: AppraisalPolicy = AppraisalPolicy(), now: Int64? = nil) {
        self.nonce = nonce
        self.appraisal = appraisal
        self.now = now
    }

    /// The time against which a build's age is measured: not its own.
    var ageReference: Int64? { timeSource == .build ? present : now }
}

/// Where the time comes from at which dates are judged.
public enum TimeSource: String, CaseIterable, Sendable {
    /// The verifier's clock.
    case clock
    /// The verifier gave it.
    case given
    /// The end of the build, as its provenance has it: collateral of that time came with the bundle.
    case build
}

/// The file that a policy was read from.
public struct PolicyFileName: Hashable, Sendable {
    public let name: String
    public let sha256: Digest256

    public init(name: String, sha256: Digest256) {
        self.name = name
        self.sha256 = sha256
    }
}
