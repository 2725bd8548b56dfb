// SPDX-License-Identifier: Apache-2.0
import Builds
import SourceTrees
import Synchronization
import Toolchains

/// Runs a toolchain's commands as they are, and keeps what they print.
final class TestSteps: BuildSteps {
    let workspace: Workspace
    let toolDigests = ToolDigestCache()
    let settings: ToolchainSettings
    private let runner: any CommandRunner
    private let text = Mutex("")
    private let commands = Mutex<[Command]>([])

    init(
        workspace: Workspace, runner: any CommandRunner = PlainRunner(),
        settings: ToolchainSettings = ToolchainSettings()
    ) {
        self.workspace = workspace
        self.runner = runner
        self.settings = settings
    }

    /// All that the build phase printed for the log.
    var log: String { text.withLock { $0 } }
    /// What ran as a phase.
    var phases: [Command] { commands.withLock { $0 } }

    func ask(_ command: Command, limit: Int) async throws(BuildFailure) -> CommandAnswer {
        let out = Mutex<[UInt8]>([])
        let err = Mutex("")
        let outcome = try await runner.run(command) { (stream, bytes) throws(BuildFailure) in
            switch stream {
            case .standardOutput: out.withLock { $0 += bytes }
            case .standardError: err.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            }
        }
        let lines = err.withLock { $0 }.split(separator: "\n").map(String.init)
        return CommandAnswer(outcome: outcome, standardOutput: out.withLock { $0 }, lines: lines)
    }

    func prepare(_ command: Command, phase: String, answer: Bool) async throws(BuildFailure) -> CommandAnswer {
        commands.withLock { $0.append(command) }
        return try await ask(command, limit: 1 << 20)
    }

    func build(
        _ command: Command, standardOutput: @escaping @Sendable (UnsafeRawBufferPointer) throws(BuildFailure) -> [UInt8]
    ) async throws(BuildFailure) -> CommandOutcome {
        commands.withLock { $0.append(command) }
        return try await runner.run(command) { (stream, bytes) throws(BuildFailure) in
            let kept = stream == .standardError ? Array(bytes) : try standardOutput(bytes)
            self.text.withLock { $0 += String(decoding: kept, as: UTF8.self) }
        }
    }

    func note(_ line: String) {}

    func check(_ addresses: [RemoteAddress]) async throws(BuildFailure) {
        let policy = SourceAddressPolicy(allowPrivateSources: false)
        for address in addresses { _ = try await policy.addresses(host: address.host, port: address.port) }
    }
}
