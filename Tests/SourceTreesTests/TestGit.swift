// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Synchronization

/// An empty folder that goes away with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/sources-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes files by their relative paths; what is above them is made.
    func write(_ files: [String: String], in folder: String = "") throws {
        for (name, text) in files {
            let url = URL(fileURLWithPath: path + "/" + folder + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
    }

    /// A workspace with its folders, whose commands see it where it is.
    func workspace(_ name: String = "workspace") throws -> Workspace {
        let workspace = Workspace(root: path + "/" + name, mountPoint: path + "/" + name)
        for part in Workspace.Part.allCases {
            try FileManager.default.createDirectory(
                atPath: workspace.path(part), withIntermediateDirectories: true)
        }
        return workspace
    }
}

/// Runs a program and returns what it prints; for making repositories.
@discardableResult
func run(_ executable: String, _ arguments: [String], in folder: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = [
        "PATH": "/usr/bin:/bin", "HOME": folder, "LC_ALL": "C", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "c",
        "GIT_COMMITTER_EMAIL": "c@example.com", "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_DATE": "1700000000 +0100",
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw BuildFailure(.internal, "\(executable) \(arguments) ended with \(process.terminationStatus)")
    }
    return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
}

@discardableResult
func git(_ arguments: String..., in folder: String) throws -> String {
    try run(
        "/usr/bin/git", ["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"] + arguments, in: folder)
}

/// Runs commands as they are, without any confinement, and remembers them.
final class PlainRunner: CommandRunner, Sendable {
    private let seen = Mutex<[Command]>([])
    private let afterwards: @Sendable (Command) -> Void
    var commands: [Command] { seen.withLock { $0 } }

    /// - Parameter afterwards: called after each command, to do what a hostile program would.
    init(afterwards: @escaping @Sendable (Command) -> Void = { _ in }) { self.afterwards = afterwards }

    func run(_ command: Command, output: @escaping OutputReceiver) async throws(BuildFailure) -> CommandOutcome {
        seen.withLock { $0.append(command) }
        let result: Result<CommandOutcome, BuildFailure> = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: Result { () throws(BuildFailure) in try Self.run(command, output) })
            }
        }
        afterwards(command)
        return try result.get()
    }

    private static func run(_ command: Command, _ output: OutputReceiver) throws(BuildFailure) -> CommandOutcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command.executable)
        process.arguments = command.arguments
        process.environment = command.environment
        process.currentDirectoryURL = URL(fileURLWithPath: command.workingDirectory)
        let errors = NSTemporaryDirectory() + "/errors-" + UUID().uuidString
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: errors) }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: errors)
        do { try process.run() } catch { throw BuildFailure(.sandbox, "\(error)") }
        try pass(pipe.fileHandleForReading.readDataToEndOfFile(), .standardOutput, output)
        process.waitUntilExit()
        try pass(FileManager.default.contents(atPath: errors) ?? Data(), .standardError, output)
        return CommandOutcome(status: process.terminationStatus)
    }

    private static func pass(
        _ data: Data, _ stream: Builds.OutputStream, _ output: OutputReceiver
    ) throws(BuildFailure) {
        let bytes = Array(data)
        let result: Result<Void, BuildFailure> = bytes.withUnsafeBytes { bytes in
            Result { () throws(BuildFailure) in try output(stream, bytes) }
        }
        try result.get()
    }
}
