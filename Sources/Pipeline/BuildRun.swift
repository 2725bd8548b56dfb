// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Provenance
internal import Sandbox
internal import SourceTrees
internal import Toolchains

/// One build under way. Its steps are in extensions, in the order in which they happen:
/// `BuildRun+Inputs`, `BuildRun+Build`, `BuildRun+Seal`.
struct BuildRun: Sendable {
    let job: PipelineJob
    let settings: PipelineSettings
    let workspace: Workspace
    let events: any BuildEventSink
    let started = Timestamp.now

    /// Commands of this build, with the toolchain's folders in their view.
    func runner(toolMounts: [ReadOnlyMount] = []) -> any CommandRunner {
        settings.sandbox.runner(for: workspace, slot: job.slot, limits: settings.limits, toolMounts: toolMounts)
    }
}

/// What a build is made from, all of it checked.
struct VerifiedInputs: Sendable {
    let source: FetchedSource
    let toolchain: CargoToolchain
    let locked: LockedInputs
    let tools: [ResourceDescriptor]
    let runner: any CommandRunner
    let fetchCommands: [Command]
}

/// What the build phase left, after every process of it died.
struct CompletedBuild: Sendable {
    let command: Command
    let artifacts: [BuiltArtifact]
    let logDigest: Digest256
}
