// SPDX-License-Identifier: Apache-2.0

/// Why a build ended without a result, as the requester is told: `error_type` and `error` of the `complete` event.
public struct BuildFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let kind: Kind
    /// One sentence for the person concerned: what was expected, what was found, what to do. No full stop.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { "\(kind.rawValue): \(message)" }

    /// The API's `error_type`, spelt to the letter.
    public enum Kind: String, CaseIterable, Sendable, Codable {
        /// The source could not be cloned or unpacked.
        case source = "SourceError"
        case unsupportedToolchain = "UnsupportedToolchainError"
        /// The lockfile is missing, malformed or out of date.
        case lockfile = "LockfileError"
        /// A dependency has no digest.
        case unpinnedDependency = "UnpinnedDependencyError"
        /// A digest differs from the one that was promised.
        case inputVerification = "InputVerificationError"
        case build = "BuildError"
        /// The build made nothing, or something that cannot be an artifact.
        case artifact = "ArtifactError"
        case sandbox = "SandboxError"
        case machine = "MachineError"
        case provenance = "ProvenanceError"
        case attestation = "AttestationError"
        case timeout = "TimeoutError"
        case resourceLimit = "ResourceLimitError"
        case cancelled = "CancelledError"
        /// The service stopped twice while the build ran.
        case interrupted = "InterruptedError"
        case `internal` = "InternalError"
    }
}
