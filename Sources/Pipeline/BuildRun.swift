// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Provenance
internal import Sandbox
internal import SourceTrees
internal import Synchronization
internal import Toolchains

/// One build under way. Its steps are in extensions, in the order in which they happen:
/// `BuildRun+Inputs`, `BuildRun+Build`, `BuildRun+Seal`.
struct BuildRun: Sendable {
    let job: PipelineJob
    let settings: PipelineSettings
    let workspace: Workspace
    let events: any BuildEventSink
    let started = Timestamp.now
    private let cancellation = CancelledFlag()

    /// Nobody wants this build any more. Commands end by themselves.
    func cancel() { cancellation.isSet.store(true, ordering: .relaxed) }

    /// Throws after ``cancel()``, on any thread: for what comes between commands.
    func checkCancellation() throws(BuildFailure) {
        if cancellation.isSet.load(ordering: .relaxed) { throw BuildFailure(.cancelled, "the build was cancelled") }
    }

    /// Commands of this build, with the toolchain's folders in their view.
    func runner(toolMounts: [ReadOnlyMount] = []) -> any CommandRunner {
        settings.sandbox.runner(for: workspace, slot: job.slot, limits: settings.limits, toolMounts: toolMounts)
    }
}

private final class CancelledFlag: Sendable {
    let isSet = Atomic(false)
}

/// What a build is made from, all of it checked.
struct VerifiedInputs: Sendable {
    let source: FetchedSource
    let project: Project
    let toolchain: any Toolchain
    let locked: LockedInputs
    let fetched: FetchedInputs
    let tools: [ResourceDescriptor]
    let steps: PipelineSteps
}

/// What the build phase left, after every process of it died.
struct CompletedBuild: Sendable {
    /// Of the build phase.
    let command: Command
    let phases: [Phase]
    let files: CollectedFiles
    let logDigest: Digest256
}
