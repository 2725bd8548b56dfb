// SPDX-License-Identifier: Apache-2.0
public import BuildServer
internal import Builds
public import Logging
public import Pipeline
public import Sandbox
public import Toolchains

extension BuildPipeline {
    /// Builds as the settings say, in `sandbox`, with evidence from `host`. Throws where the settings of a toolchain
    /// make no sense.
    ///
    /// - Parameter knownDigests: of files of this machine that nobody can change.
    public init(
        _ configuration: Configuration, sandbox: Sandbox, host: HostAttester, knownDigests: KnownFileDigests? = nil
    ) throws(ConfigurationError) {
        self.init(
            settings: PipelineSettings(
                sandbox: sandbox, attester: host.attester, launchMeasurement: host.launchMeasurement,
                limits: configuration.limits, allowPrivateSources: configuration.allowPrivateSources,
                builderID: configuration.builderID,
                toolDigests: ToolDigestCache(known: knownDigests), toolchains: try ToolchainSettings(configuration)))
    }

    /// Hashes the toolchains ahead of the first build, and says in the log where there are none.
    public func warmUp(logger: Logger) async {
        do throws(BuildFailure) {
            try await warmUp()
        } catch {
            guard error.kind != .cancelled else { return }
            logger.warning("No toolchain is ready", metadata: ["error": "\(error.message)"])
        }
    }
}
