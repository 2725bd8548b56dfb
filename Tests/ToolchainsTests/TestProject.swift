// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Synchronization
import Testing

/// A folder that goes with the process: a path into it does not keep a folder alive, so none goes earlier.
struct TestProject: Sendable {
    let root: String

    private static let roots = Mutex<[String]>([])
    private static let removal: Void = {
        atexit { TestProject.roots.withLock { $0.forEach { try? FileManager.default.removeItem(atPath: $0) } } }
    }()

    init(_ files: [String: String] = [:]) throws {
        let path = NSTemporaryDirectory() + "/toolchains-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        root = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let made = root
        _ = Self.removal
        Self.roots.withLock { $0.append(made) }
        for (name, text) in files { try write(name, text) }
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        // By bytes: Foundation does not see all slashes.
        var place = root
        for part in PathParts.names(name).dropLast() {
            place += "/" + part
            guard mkdir(place, 0o755) == 0 || errno == EEXIST else { throw CocoaError(.fileWriteUnknown) }
        }
        guard let file = fopen(root + "/" + name, "w") else { throw CocoaError(.fileWriteUnknown) }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: root + "/" + name) }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, root + "/" + name) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func digest(_ name: String) throws -> String {
        Digest256(of: Array(try Data(contentsOf: URL(fileURLWithPath: root + "/" + name)))).hex
    }
}

extension TestProject {
    /// A workspace without a sandbox, whose source part is `source` under this folder.
    func workspace() throws -> Workspace {
        let workspace = Workspace(root: root, mountPoint: root)
        for part in Workspace.Part.allCases {
            try FileManager.default.createDirectory(atPath: workspace.path(part), withIntermediateDirectories: true)
        }
        return workspace
    }
}

/// Runs commands as they are, without confinement; output is delivered when the command has ended.
struct PlainRunner: CommandRunner {
    func run(_ command: Command, output: @escaping OutputReceiver) async throws(BuildFailure) -> CommandOutcome {
        do {
            let (status, out, err) = try await spawn(command)
            for (stream, data) in [(OutputStream.standardOutput, out), (.standardError, err)] {
                let failure = data.withUnsafeBytes { bytes -> BuildFailure? in
                    do throws(BuildFailure) { try output(stream, bytes) } catch { return error }
                    return nil
                }
                if let failure { throw failure }
            }
            return CommandOutcome(status: status)
        } catch {
            throw (error as? BuildFailure) ?? BuildFailure(.internal, "\(error)")
        }
    }

    private func spawn(_ command: Command) async throws -> (Int32, Data, Data) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command.executable)
        process.arguments = command.arguments
        process.environment = command.environment
        process.currentDirectoryURL = URL(fileURLWithPath: command.workingDirectory)
        let logs = try TestProject(["out": "", "err": ""])
        let files = ["out", "err"].map { URL(fileURLWithPath: logs.root + "/" + $0) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        process.standardInput = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return (process.terminationStatus, try Data(contentsOf: files[0]), try Data(contentsOf: files[1]))
    }
}

/// What lies beside the package for tests: vectors and projects.
enum Shared {
    static let root: String = {
        if let path = ProcessInfo.processInfo.environment["CUPEL_SHARED"] { return path }
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { package.deleteLastPathComponent() }
        return package.deletingLastPathComponent().path + "/shared"
    }()

    static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }
}

/// The kind of the failure that `body` throws; `nil` where it throws none.
func failureKind(_ body: () throws -> Void) -> BuildFailure.Kind? {
    failure(body)?.kind
}

func failure(_ body: () throws -> Void) -> BuildFailure? {
    do {
        try body()
        return nil
    } catch {
        return error as? BuildFailure
    }
}
