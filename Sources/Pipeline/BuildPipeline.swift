// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import Foundation
internal import Sandbox
internal import Toolchains

/// Builds one job after another, each in a fresh workspace: source, inputs, build, provenance, evidence, bundle.
public struct BuildPipeline: Sendable {
    /// Where toolchains are asked while builds may run: beyond the slots of these, as a slot's user and control group are
    /// one command's at a time.
    private static let warmUpSlot = 1 << 16

    private let settings: PipelineSettings

    public init(settings: PipelineSettings) {
        self.settings = settings
    }

    /// Runs one build. Its events go to `events`, all but the last (`complete`), which is the caller's to send.
    ///
    /// Returns `nil` after a good build, whose result is then on disk at ``PipelineJob/resultPath``; otherwise why it
    /// failed. Either way every process of the build is dead and its workspace is gone.
    public func run(_ job: PipelineJob, events: any BuildEventSink) async -> BuildFailure? {
        do {
            try await build(job, events: events)
            return nil
        } catch {
            return error
        }
    }

    /// Hashes the programs of each toolchain that is installed, so that the first build need not wait for it. Throws
    /// where there is none.
    public func warmUp() async throws(BuildFailure) {
        let workspace = try settings.sandbox.makeWorkspace(named: ".warm-up", slot: Self.warmUpSlot)
        defer { settings.sandbox.removeWorkspace(workspace) }
        let project = try Project(sourceRoot: workspace.path(.source))
        var failures: [BuildFailure] = []
        for type in Toolchains.all {
            do {
                try await warmUp(try type.init(project), workspace)
            } catch {
                failures.append(error)
            }
        }
        guard failures.count < Toolchains.all.count else {
            throw BuildFailure(
                .unsupportedToolchain, "no toolchain is installed: " + failures.map(\.message).joined(separator: "; "))
        }
    }

    private func warmUp(_ toolchain: any Toolchain, _ workspace: Workspace) async throws(BuildFailure) {
        let mounts = toolchain.mounts.map { ReadOnlyMount(host: $0.host, inside: $0.inside) }
        let runner = settings.sandbox.runner(
            for: workspace, slot: Self.warmUpSlot, limits: settings.limits, toolMounts: mounts)
        let steps = PipelineSteps(
            settings, workspace: workspace, runner: runner, logPath: workspace.path(.output) + "/build.log",
            events: NoEvents())
        _ = try await toolchain.tools(steps)
    }

    private func build(_ job: PipelineJob, events: any BuildEventSink) async throws(BuildFailure) {
        let workspace = try settings.sandbox.makeWorkspace(named: job.id.text, slot: job.slot)
        defer {
            settings.sandbox.removeWorkspace(workspace)
            for path in [job.unfinishedResultPath, job.unfinishedEncodedPath, job.logPath] {
                try? FileManager.default.removeItem(atPath: path)
            }
        }
        let run = BuildRun(job: job, settings: settings, workspace: workspace, events: events)
        let result: Result<Void, BuildFailure> = await withTaskCancellationHandler {
            do throws(BuildFailure) {
                return .success(try await Self.steps(of: run))
            } catch {
                return .failure(error)
            }
        } onCancel: {
            run.cancel()
        }
        try result.get()
    }

    private static func steps(of run: BuildRun) async throws(BuildFailure) {
        let inputs = try await run.prepareInputs()
        try run.checkCancellation()
        let build = try await run.build(inputs)
        try await run.seal(inputs, build)
    }
}

/// Where nobody asked for a build.
private struct NoEvents: BuildEventSink {
    func append(_ events: [BuildEvent]) {}
}
