// SPDX-License-Identifier: Apache-2.0
public import Attesters
public import Builds
public import Sandbox
public import Toolchains

/// What the operator decides for every build.
public struct PipelineSettings: Sendable {
    /// Where and how commands run.
    public var sandbox: Sandbox
    /// Who signs the evidence.
    public var attester: any Attester
    /// What the hardware says that it measured when this machine was launched, from evidence of the attester's; `nil`
    /// where there is no such thing.
    public var launchMeasurement: [UInt8]?
    public var limits: BuildLimits
    /// Whether git and registries may be fetched from loopback, link-local and private addresses.
    public var allowPrivateSources: Bool
    /// SLSA `builder.id`: the URI that a verifier's policy names.
    public var builderID: String
    /// Kept over builds, so that a toolchain is hashed again only when its files have changed.
    public var toolDigests: ToolDigestCache
    public var toolchains: ToolchainSettings

    public init(
        sandbox: Sandbox, attester: any Attester, launchMeasurement: [UInt8]?, limits: BuildLimits,
        allowPrivateSources: Bool, builderID: String, toolDigests: ToolDigestCache,
        toolchains: ToolchainSettings = ToolchainSettings()
    ) {
        self.sandbox = sandbox
        self.attester = attester
        self.launchMeasurement = launchMeasurement
        self.limits = limits
        self.allowPrivateSources = allowPrivateSources
        self.builderID = builderID
        self.toolDigests = toolDigests
        self.toolchains = toolchains
    }
}

/// One build to be run.
public struct PipelineJob: Sendable {
    public var id: JobID
    public var request: BuildRequest
    /// Absolute path of the uploaded archive, where the request has one.
    public var archivePath: String?
    /// Counts from 1; 2 after the service stopped during the first attempt.
    public var attempt: Int
    /// Which of the builds that run at the same time this is; decides the build user.
    public var slot: Int
    /// Absolute path of the folder in which the result and what leads to it are written: the observer's, never the
    /// build's.
    public var folder: String
    /// Whether the result is also wanted for clients that take `Content-Encoding: zstd`.
    public var wantsEncodedResult: Bool

    public init(
        id: JobID, request: BuildRequest, archivePath: String?, attempt: Int, slot: Int, folder: String,
        wantsEncodedResult: Bool = false
    ) {
        self.id = id
        self.request = request
        self.archivePath = archivePath
        self.attempt = attempt
        self.slot = slot
        self.folder = folder
        self.wantsEncodedResult = wantsEncodedResult
    }

    /// The result tarball, there only after a good build, and then complete and on disk.
    public var resultPath: String { folder + "/result.tar.gz" }
    /// The same for `Content-Encoding: zstd`, with a seal at its end. Only where the disk had room for it.
    public var encodedResultPath: String { folder + "/result.tar.gz.zst" }
    var unfinishedResultPath: String { folder + "/result.partial" }
    var unfinishedEncodedPath: String { folder + "/result.zst.partial" }
    var logPath: String { folder + "/build.log" }
}
