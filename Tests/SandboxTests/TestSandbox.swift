// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import Synchronization
import Testing

/// What this machine has for these tests.
enum Host {
    static let python = access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : nil

    /// Why builds cannot be confined here; `nil` where they can be.
    static let lack: String? = {
        guard access("/usr/bin/bwrap", X_OK) == 0 else { return "bubblewrap is not installed" }
        let test = Process()
        test.executableURL = URL(fileURLWithPath: "/usr/bin/bwrap")
        test.arguments = ["--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "/usr/bin/true"]
        test.standardError = FileHandle.nullDevice
        do { try test.run() } catch { return "bubblewrap cannot be started" }
        test.waitUntilExit()
        return test.terminationStatus == 0 ? nil : "user namespaces are not allowed on this machine"
    }()

    static var canConfine: Bool { lack == nil }
    static let why: Comment = "needs bubblewrap and user namespaces (apt-get install bubblewrap)"
    static var canProbe: Bool { canConfine && python != nil }
    static let whyProbe: Comment = "needs bubblewrap, user namespaces and /usr/bin/python3"
}

/// A sandbox in a folder of its own, and one workspace in it.
struct TestSandbox {
    let folder: String
    let sandbox: Sandbox
    let workspace: Workspace
    /// Of this test alone: processes are limited for each build user.
    let slot: Int

    private static let nextSlot = Mutex(100)

    /// Everything in it is removed afterwards, also after an error.
    static func run(
        _ confinement: Confinement = .bubblewrap, _ body: (TestSandbox) async throws -> Void
    ) async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let sandbox = try await Sandbox.prepare(confinement: confinement, folder: folder)
        let slot = nextSlot.withLock { next in
            next += 1
            return next
        }
        let workspace = try sandbox.makeWorkspace(named: "build", slot: slot)
        defer { sandbox.removeWorkspace(workspace) }
        try await body(TestSandbox(folder: folder, sandbox: sandbox, workspace: workspace, slot: slot))
    }

    /// Build users must be able to pass through it.
    static func makeFolder() throws -> String {
        let folder = "/tmp/sandbox-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        return folder
    }

    func command(
        _ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"], network: Bool = false,
        writable: Set<Workspace.Part> = [.output, .temporary], timeLimit: Int = 60
    ) -> Command {
        Command(
            "/bin/sh", ["-c", script], environment: environment, workingDirectory: workspace.inside(.output),
            network: network, writable: writable, timeLimit: timeLimit)
    }

    func python(_ script: String, network: Bool = false) -> Command {
        Command(
            Host.python ?? "", ["-c", script], environment: [:], workingDirectory: workspace.inside(.output),
            network: network, writable: [.output, .temporary], timeLimit: 60)
    }

    func run(_ command: Command, limits: BuildLimits = BuildLimits()) async throws -> Result {
        let output = Collected()
        let runner = sandbox.runner(for: workspace, slot: slot, limits: limits)
        let outcome = try await runner.run(command) { output.add($0, $1) }
        return Result(
            status: outcome.status, output: output.bytes(.standardOutput), errors: output.bytes(.standardError))
    }

    /// What a script writes to its standard output, without the last newline.
    func text(_ script: String, _ change: (inout Command) -> Void = { _ in }) async throws -> String {
        var command = command(script)
        change(&command)
        let result = try await run(command)
        return result.text
    }

    /// The failure that a command ends with.
    func failure(_ command: Command, limits: BuildLimits = BuildLimits()) async -> BuildFailure? {
        do {
            let outcome = try await sandbox.runner(for: workspace, slot: slot, limits: limits).run(command) { _, _ in }
            Issue.record("the command ended by itself with \(outcome.status)")
            return nil
        } catch {
            return error
        }
    }

    struct Result {
        let status: Int32
        let output: [UInt8]
        let errors: [UInt8]

        var text: String {
            (String(decoding: output, as: UTF8.self) + String(decoding: errors, as: UTF8.self))
                .trimmingCharacters(in: .newlines)
        }
    }
}

/// Takes output of a command.
final class Collected: Sendable {
    private let parts = Mutex<[(Builds.OutputStream, [UInt8])]>([])

    func add(_ stream: Builds.OutputStream, _ bytes: UnsafeRawBufferPointer) {
        parts.withLock { $0.append((stream, Array(bytes))) }
    }

    func bytes(_ stream: Builds.OutputStream) -> [UInt8] {
        parts.withLock { $0.filter { $0.0 == stream }.flatMap(\.1) }
    }
}

/// Processes of this machine.
enum Processes {
    /// Those whose command line has `text` in it.
    static func mentioning(_ text: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            guard Int(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return false
            }
            return String(decoding: line, as: UTF8.self).contains(text)
        }
    }
}
