// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Provenance
internal import Sandbox
internal import SourceTrees
internal import Synchronization
internal import Toolchains

/// Runs a toolchain's commands in one build's workspace, turns what they print into events, and remembers which phases
/// there were.
final class PipelineSteps: BuildSteps {
    /// Bytes that a phase may answer with on its standard output.
    private static let answerLimit = 64 << 20

    let workspace: Workspace
    let toolDigests: ToolDigestCache
    let settings: ToolchainSettings
    private let limits: BuildLimits
    private let addressPolicy: SourceAddressPolicy
    private let runner: any CommandRunner
    private let logPath: String
    private let events: any BuildEventSink
    private let record = Mutex(Record())

    /// What the provenance will say of the phases.
    struct Record {
        var phases: [Phase] = []
        /// The log of the build phase, once that has begun.
        var log: BuildLog?
        /// Of the build phase, when it has run: its first command, and what it logged so far.
        var build: (command: Command, logDigest: Digest256)?
    }

    init(
        _ settings: PipelineSettings, workspace: Workspace, runner: any CommandRunner, logPath: String,
        events: any BuildEventSink
    ) {
        self.workspace = workspace
        self.runner = runner
        self.logPath = logPath
        self.events = events
        toolDigests = settings.toolDigests
        self.settings = settings.toolchains
        limits = settings.limits
        addressPolicy = SourceAddressPolicy(allowPrivateSources: settings.allowPrivateSources)
    }

    var recorded: Record { record.withLock { $0 } }

    func note(_ line: String) throws(BuildFailure) { try events.append([.initialize(line)]) }

    func check(_ addresses: [RemoteAddress]) async throws(BuildFailure) {
        for address in addresses { _ = try await addressPolicy.addresses(host: address.host, port: address.port) }
    }

    func ask(_ command: Command, limit: Int) async throws(BuildFailure) -> CommandAnswer {
        try await run(command, answerLimit: limit) { (_) throws(BuildFailure) in }
    }

    func prepare(_ command: Command, phase: String, answer: Bool) async throws(BuildFailure) -> CommandAnswer {
        var command = command
        command.timeLimit = command.network ? limits.fetchSeconds : limits.buildSeconds
        record.withLock { $0.phases.append(Phase(name: phase, command)) }
        let events = events
        return try await run(command, answerLimit: answer ? Self.answerLimit : nil) { (lines) throws(BuildFailure) in
            try events.append(lines.map(BuildEvent.initialize))
        }
    }

    func build(
        _ command: Command, standardOutput: @escaping @Sendable (UnsafeRawBufferPointer) throws(BuildFailure) -> [UInt8]
    ) async throws(BuildFailure) -> CommandOutcome {
        guard !command.network else { throw BuildFailure(.internal, "a build phase has no network") }
        var command = command
        command.timeLimit = limits.buildSeconds
        let log = try openLog()
        let outcome = try await runner.run(command) { (stream, bytes) throws(BuildFailure) in
            switch stream {
            case .standardError: try log.append(bytes)
            case .standardOutput: try log.append(try standardOutput(bytes))
            }
        }
        let digest = try log.endLine()
        let finished = command
        record.withLock {
            $0.phases.append(Phase(name: "build", finished))
            $0.build = ($0.build?.command ?? finished, digest)
        }
        return outcome
    }

    /// One log for all commands of the build phase.
    private func openLog() throws(BuildFailure) -> BuildLog {
        try record.withLock { (record) throws(BuildFailure) in
            if let log = record.log { return log }
            let log = try BuildLog(path: logPath, events: events)
            record.log = log
            return log
        }
    }

    /// - Parameter answerLimit: bytes of standard output, which is then kept instead of being shown.
    private func run(
        _ command: Command, answerLimit: Int?, show: @escaping @Sendable ([String]) throws(BuildFailure) -> Void
    ) async throws(BuildFailure) -> CommandAnswer {
        let said = Mutex(Said())
        let outcome = try await runner.run(command) { (stream, bytes) throws(BuildFailure) in
            guard stream == .standardOutput, let answerLimit else {
                return try show(said.withLock { $0.lines(from: bytes) })
            }
            let fits = said.withLock { $0.keep(bytes, limit: answerLimit) }
            guard fits else {
                throw BuildFailure(
                    .resourceLimit, "\(command.executable) answered with more than \(answerLimit) bytes")
            }
        }
        try show(said.withLock { $0.finish() })
        return said.withLock {
            CommandAnswer(outcome: outcome, standardOutput: $0.standardOutput, lines: $0.last)
        }
    }
}

/// What a command has said so far.
private struct Said {
    /// Of lines, only the latest are kept.
    private static let limit = 200

    private var unfinished = LogLines()
    private(set) var last: [String] = []
    private(set) var standardOutput: [UInt8] = []

    mutating func lines(from bytes: UnsafeRawBufferPointer) -> [String] {
        remember(unfinished.lines(from: bytes))
    }

    /// The last line, where it had no end.
    mutating func finish() -> [String] { remember(unfinished.finish().map { [$0] } ?? []) }

    private mutating func remember(_ lines: [String]) -> [String] {
        last = Array((last + lines).suffix(Self.limit))
        return lines
    }

    mutating func keep(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Bool {
        guard standardOutput.count + bytes.count <= limit else { return false }
        standardOutput.append(contentsOf: bytes)
        return true
    }
}

extension Phase {
    init(name: String, _ command: Command) {
        self.init(
            name: name, network: command.network, commandLine: [command.executable] + command.arguments)
    }
}
