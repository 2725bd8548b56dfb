// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Machines
import Processes
import Synchronization
import Testing

/// Keeps what is logged.
private final class Records: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var logger: Logger { Logger(label: "test") { _ in RecordingHandler(records: self) } }
}

private struct RecordingHandler: LogHandler {
    let records: Records
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    init(records: Records) { self.records = records }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let folder = event.metadata?["machine.folder"].map { "\($0)" } ?? ""
        records.add("\(event.level): \(event.message), \(folder)")
    }
}

@Suite("What is left of machines", .timeLimit(.minutes(10))) struct MachineLeftoversTests {
    private let records = Records()

    private func make(_ paths: String...) throws {
        for path in paths { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    }

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private func sleeper(_ folder: String) async throws -> BackgroundProcess {
        try await BackgroundProcess.start(
            ["/bin/sh", "-c", "sleep 600; true"], environment: [:], workingDirectory: folder
        ) { _, _ in }
    }

    private func end(_ processes: BackgroundProcess...) async {
        for process in processes {
            process.kill()
            _ = await process.ended()
        }
    }

    @Test("what an earlier run left is killed and removed; processes of others are not")
    func leftovers() async throws {
        let played = try PlayedMachine(.deaf)
        let folder = played.settings.folder
        let (left, stranger) = ("\(folder)/machine-left", "\(folder)/stranger")
        try make(left, stranger)
        let orphan = try await sleeper(left)
        let other = try await sleeper(stranger)
        MachineLeftovers.remove(in: folder, before: 0, logger: records.logger)
        #expect(orphan.status == nil, "what began later than the service is no leftover")
        try make(left)
        let again = try await sleeper(left)
        MachineLeftovers.remove(in: folder, before: .max, logger: records.logger)
        #expect(await again.ended() == 128 + SIGKILL)
        #expect(other.status == nil)
        #expect(!isThere(left))
        #expect(isThere(stranger))
        #expect(records.all == [])
        await end(orphan, other)
    }

    @Test("the folder of a machine whose process survives stays, and a warning names it")
    func survivors() async throws {
        let played = try PlayedMachine(.deaf)
        let folder = played.settings.folder
        let (used, unused) = ("\(folder)/machine-used", "\(folder)/machine-unused")
        try make(used, unused)
        let survivor = try await sleeper(used)
        MachineLeftovers.remove(in: folder, before: .max, logger: records.logger) { _ in false }
        #expect(isThere(used))
        #expect(!isThere(unused))
        #expect(
            records.all == [
                "warning: Processes of an earlier run's machine could not be ended: its folder stays, \(used)"
            ])
        await end(survivor)
    }

    @Test("where it is not known when the service began, nothing is removed, and a warning says so")
    func unknownStart() async throws {
        let played = try PlayedMachine(.deaf)
        let folder = played.settings.folder
        let left = "\(folder)/machine-left"
        try make(left)
        let orphan = try await sleeper(left)
        MachineLeftovers.remove(in: folder, before: nil, logger: records.logger)
        #expect(isThere(left))
        #expect(orphan.status == nil)
        #expect(records.all.count == 1)
        #expect(records.all.first?.hasPrefix("warning: Nothing of an earlier run's machines was removed") == true)
        await end(orphan)
    }

    @Test("a folder that cannot be removed is warned of", .enabled(if: geteuid() != 0, "root can remove every folder"))
    func unremovable() throws {
        let played = try PlayedMachine(.deaf)
        let folder = played.settings.folder
        let left = "\(folder)/machine-left"
        try make(left + "/tpm")
        chmod(left, 0o500)
        defer { chmod(left, 0o700) }
        MachineLeftovers.remove(in: folder, before: .max, logger: records.logger)
        #expect(isThere(left))
        #expect(records.all == ["warning: The folder of an earlier run's machine could not be removed, \(left)"])
    }
}
