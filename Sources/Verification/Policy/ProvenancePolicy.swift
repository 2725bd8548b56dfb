// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import ByteCoding

/// What a verifier wants of the provenance. An empty list asks for nothing; of a list with entries one must fit.
public struct ProvenancePolicy: Hashable, Sendable {
    /// Of the repository, without the `git+` before it.
    public var sourceURIs: [Pattern] = []
    /// The name under which the commit was found, such as `refs/tags/v1.0`.
    public var sourceRefs: [Pattern] = []
    /// Lower-case hexadecimal.
    public var sourceCommits: [Pattern] = []
    /// Of an uploaded archive.
    public var sourceArchives: [Digest256] = []
    public var builderIDs: [Pattern] = []
    /// By the name of the component; each must be stated and fit.
    public var builderVersions: [String: [Pattern]] = [:]
    public var buildTypes: [Pattern] = []
    public var isolations: [String] = []
    /// Each must be among the tools that built.
    public var tools: [ToolRule] = []
    /// Refuses tools that ``tools`` does not name.
    public var refusesOtherTools = false
    /// Phases that must be stated, and have had no network.
    public var phasesWithoutNetwork: [String] = []
    /// Seconds between the end of the build and the verification.
    public var maximumAge: Int64?

    public init() {}
}

/// A tool that must have built, and what it must be.
public struct ToolRule: Hashable, Sendable {
    /// Exactly as the provenance has it.
    public var name: String
    /// One must fit; any version if empty.
    public var versions: [Pattern]
    /// One must be the binary's; any if empty.
    public var sha256: [Digest256]

    public init(name: String, versions: [Pattern] = [], sha256: [Digest256] = []) {
        self.name = name
        self.versions = versions
        self.sha256 = sha256
    }
}

/// How many platforms must agree before a verifier believes them (k of n).
public struct PlatformQuorum: Hashable, Sendable {
    /// At least this many.
    public var atLeast: Int
    /// Of these, by their families; of all that the policy accepts if empty.
    public var platforms: Set<Platform>

    public init(atLeast: Int, platforms: Set<Platform> = []) {
        self.atLeast = atLeast
        self.platforms = Set(platforms.map(\.family))
    }
}
