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
        guard CargoToolchain.detect(in: source.root) else {
            throw BuildFailure(
                .unsupportedToolchain, "no known toolchain: expected a Cargo.toml at the top of the source, found none")
        }
        try events.append([.detect(CargoToolchain.name), .initialize("Verifying build inputs")])
        try events.append(attemptNote + notes.map(BuildEvent.initialize))
        return try await verifyInputs(of: source)
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

    private func verifyInputs(of source: FetchedSource) async throws(BuildFailure) -> VerifiedInputs {
        var toolchain = try CargoToolchain(sourceRoot: source.root)
        toolchain.sourceDateEpoch = source.commitTime ?? 0
        let reader = toolchain
        let locked = try await onOwnThread { () throws(BuildFailure) in try reader.lock(sourceRoot: source.root) }
        try await locked.checkAddresses(SourceAddressPolicy(allowPrivateSources: settings.allowPrivateSources))
        let mounts = toolchain.mounts.map { ReadOnlyMount(host: $0.host, inside: $0.inside) }
        let runner = runner(toolMounts: mounts)
        let tools = try await toolchain.tools(runner: runner, workspace: workspace, cache: settings.toolDigests)
        let commands = try await fetch(toolchain, locked, runner: runner)
        try events.append([.initialize("Verified \(locked.dependencies.count) dependencies")])
        return VerifiedInputs(
            source: source, toolchain: toolchain, locked: locked, tools: tools, runner: runner, fetchCommands: commands)
    }

    /// The fetch phase: network on, and nothing of the project runs.
    private func fetch(
        _ toolchain: CargoToolchain, _ locked: LockedInputs, runner: any CommandRunner
    ) async throws(BuildFailure) -> [Command] {
        let commands = toolchain.fetchCommands(workspace: workspace)
        for var command in commands {
            command.timeLimit = settings.limits.fetchSeconds
            let lines = Mutex(LogLines())
            let events = events
            let tail = Notes()
            let outcome = try await runner.run(command) { (_, bytes) throws(BuildFailure) in
                let new = lines.withLock { $0.lines(from: bytes) }
                tail.append(contentsOf: new)
                try events.append(new.map(BuildEvent.initialize))
            }
            guard outcome.succeeded else { throw toolchain.fetchFailure(status: outcome.status, output: tail.all) }
        }
        let workspace = workspace
        try await onOwnThread { () throws(BuildFailure) in try toolchain.verifyFetched(locked, workspace: workspace) }
        return commands
    }
}

/// Lines that several threads may add to.
private final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    /// Only the latest are kept.
    private static let limit = 200

    func append(_ line: String) { append(contentsOf: [line]) }

    func append(contentsOf new: [String]) {
        lines.withLock { $0 = Array(($0 + new).suffix(Self.limit)) }
    }

    var all: [String] { lines.withLock { $0 } }
}
