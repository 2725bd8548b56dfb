// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Sandbox
internal import SourceTrees
internal import Synchronization
internal import Toolchains

extension BuildRun {
    /// The source, the toolchain and every dependency: fetched, compared with what was promised, and sealed.
    func prepareInputs() async throws(BuildFailure) -> VerifiedInputs {
        let (source, notes) = try await fetchSource()
        let project = try Project(sourceRoot: source.root, sourceDateEpoch: source.commitTime ?? 0)
        let toolchain = try Toolchains.find(for: project)
        try events.append([.detect(toolchain.name), .initialize("Verifying build inputs")])
        try events.append(attemptNote + notes.map(BuildEvent.initialize))
        return try await verifyInputs(of: source, project, try toolchain.init(project))
    }

    private var attemptNote: [BuildEvent] {
        guard job.attempt > 1 else { return [] }
        return [.initialize("The service stopped during attempt \(job.attempt - 1); the build has started afresh")]
    }

    /// The source comes before the first event that the API allows, so what is to be said of it is kept until then.
    private func fetchSource() async throws(BuildFailure) -> (FetchedSource, [String]) {
        let notes = Notes()
        let fetcher = SourceFetcher(
            runner: runner(), workspace: workspace, limits: settings.limits,
            allowPrivateSources: settings.allowPrivateSources)
        let source = try await fetcher.fetch(job.request.source, archivePath: job.archivePath) { notes.append($0) }
        return (source, notes.all)
    }

    private func verifyInputs(
        of source: FetchedSource, _ project: Project, _ unread: any Toolchain
    ) async throws(BuildFailure) -> VerifiedInputs {
        var (toolchain, locked) = try await onOwnThread { () throws(BuildFailure) in
            var toolchain = unread
            let locked = try toolchain.lock()
            return (toolchain, locked)
        }
        let mounts = toolchain.mounts.map { ReadOnlyMount(host: $0.host, inside: $0.inside) }
        let steps = PipelineSteps(
            settings, workspace: workspace, runner: runner(toolMounts: mounts), logPath: job.logPath, events: events)
        try await steps.check(locked.hosts)
        let tools = try await toolchain.tools(steps)
        // The fetch phase: network on, and no program of the project runs; a flake is evaluated, as an expression.
        let fetched = try await toolchain.fetch(steps)
        let count = locked.dependencies.count + fetched.dependencies.count
        try events.append([.inputsVerified(count)])
        return VerifiedInputs(
            source: source, project: project, toolchain: toolchain, locked: locked, fetched: fetched, tools: tools,
            steps: steps)
    }
}

/// Lines that several threads may add to; only the latest are kept.
private final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    private static let limit = 200

    func append(_ line: String) {
        lines.withLock { $0 = Array(($0 + [line]).suffix(Self.limit)) }
    }

    var all: [String] { lines.withLock { $0 } }
}
