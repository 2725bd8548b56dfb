// SPDX-License-Identifier: Apache-2.0
import Archives
import BuildClient
import Builds
import ByteCoding
import Foundation
import Logging
import Machines
import StrictJSON
import Synchronization
import TestServers

/// One build that is relayed, with all that a test looks at afterwards.
struct RelayBench: Sendable {
    let folder = TemporaryFolder()
    let sink: JournalSink
    var request = RelayBench.git
    var archivePath: String?
    var attempt = 1
    var limits = RelayBench.limits

    init(sink: JournalSink = JournalSink()) { self.sink = sink }

    static let nonce = "00ff17"

    /// Short, so that no test waits.
    static var limits: RelayLimits {
        var limits = RelayLimits(BuildLimits())
        limits.schedule = RetrySchedule(first: .milliseconds(1), longest: .milliseconds(1), attempts: 2)
        limits.farewell = .milliseconds(200)
        limits.consoleLines = 4
        return limits
    }

    static let git: BuildRequest = {
        guard let nonce = try? Nonce(hex: nonce), let url = try? GitURL("https://example.org/probe.git") else {
            preconditionFailure("the request of all tests is well-formed")
        }
        return BuildRequest(nonce: nonce, source: .git(GitSource(url: url, ref: nil)))
    }()

    func run(_ machine: StandInMachine) async -> BuildFailure? {
        await run { _ throws(MachineError) in machine }
    }

    func run(taking take: @escaping Relay.Taking) async -> BuildFailure? {
        let job = RelayJob(request: request, archivePath: archivePath, attempt: attempt, folder: folder.path)
        return await Relay(limits: limits, take: take).run(
            job, events: sink, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    var result: [UInt8]? { FileManager.default.contents(atPath: folder.path + "/result.tar.gz").map(Array.init) }

    /// Everything in the job's folder.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() }
}

/// Keeps events as they come.
final class JournalSink: BuildEventSink {
    private let kept = Mutex<[BuildEvent]>([])
    private let limit: Int
    private let noticing: @Sendable (BuildEvent) -> Void

    /// - Parameter limit: events; more end the build, as in a log that is full.
    init(limit: Int = .max, noticing: @escaping @Sendable (BuildEvent) -> Void = { _ in }) {
        self.limit = limit
        self.noticing = noticing
    }

    var events: [BuildEvent] { kept.withLock { $0 } }

    /// Without what the host says of the machine.
    var ofMachine: [BuildEvent] { events.filter { if case .machine = $0 { false } else { true } } }

    func append(_ events: [BuildEvent]) throws(BuildFailure) {
        for event in events {
            let fits = kept.withLock { kept in
                guard kept.count < limit else { return false }
                kept.append(event)
                return true
            }
            guard fits else { throw BuildFailure(.resourceLimit, "the build's log has more than \(limit) events") }
            noticing(event)
        }
    }
}

/// A result as a machine packs it, or not quite.
struct MadeResult {
    var nonce = RelayBench.nonce
    var source: JSONValue = ["uri": "git+https://example.org/probe.git"]
    var files: [String: [UInt8]] = [
        "probe/artifacts/probe": Array("probe".utf8), "probe/evidence.json": Array("{}".utf8),
    ]
    var provenance: String?

    func bytes() throws -> [UInt8] {
        let folder = TemporaryFolder()
        let path = folder.path + "/made.tar.gz"
        let archive = try TarGzipWriter(path: path, encodedCopy: nil)
        for (name, content) in files.sorted(by: { $0.key < $1.key }) { _ = try archive.addBytes(content, as: name) }
        _ = try archive.addBytes(
            provenance.map { Array($0.utf8) } ?? statement.canonicalBytes, as: "probe/provenance.json")
        try archive.close()
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private var statement: JSONValue {
        ["predicate": ["buildDefinition": ["externalParameters": ["nonce": .string(nonce), "source": source]]]]
    }
}

/// A folder of its own, removed with the value.
final class TemporaryFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("cupel-relay-\(UUID().uuidString)").path

    init() { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
