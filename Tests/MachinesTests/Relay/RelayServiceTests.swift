// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import ByteCoding
import Foundation
import Logging
import Machines
import ServiceLifecycle
import Storage
import StrictJSON
import Synchronization
import Testing

/// The relay with the very service that an agent runs, over a real connection.
@Suite struct RelayServiceTests {
    /// Runs `use` with a machine whose agent is a whole service that builds by `runner`.
    private func serve(
        runner: @escaping @Sendable (StoredJob, any BuildEventSink, DataFolder) throws -> BuildFailure?,
        _ use: (StandInMachine) async throws -> Void
    ) async throws {
        let folder = TemporaryFolder()
        let data = try DataFolder(path: folder.path + "/data")
        var configuration = Configuration()
        configuration.port = 0
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let service = BuildService(
            configuration: configuration, data: data, store: MemoryBuildStore(),
            logs: EventLogs(folder: data, limit: 64 << 20),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, version: "test",
            onListening: { continuation.yield($0) },
            runner: { job, events, _ in
                do {
                    return try runner(job, events, data)
                } catch {
                    return BuildFailure(.internal, "\(error)")
                }
            })
        let group = ServiceGroup(configuration: .init(services: [service], logger: Logger(label: "test")))
        async let ended: Void = group.run()
        let port = try #require(await ports.first { _ in true })
        try await use(StandInMachine(address: "http://127.0.0.1:\(port)"))
        await group.triggerGracefulShutdown()
        try await ended
    }

    @Test func aRepositoryIsBuiltAndItsResultIsTheSameToTheByte() async throws {
        let result = try MadeResult().bytes()
        let lines = (0..<5000).map { BuildEvent.build("line \($0) \u{1F600} \u{FFFD}") }
        let seen = Mutex<BuildRequest?>(nil)
        let bench = RelayBench()
        try await serve { job, events, data in
            seen.withLock { $0 = job.request }
            try events.append([.detect("cargo"), .initialize("Verifying build inputs")])
            for part in stride(from: 0, to: lines.count, by: 7) {
                try events.append(Array(lines[part..<min(part + 7, lines.count)]))
            }
            try events.append([.provenance("Generating provenance"), .attest("Generating attestation")])
            try Data(result).write(to: URL(fileURLWithPath: data.resultPath(job.id)))
            return nil
        } _: { machine in
            #expect(await bench.run(machine) == nil)
        }
        #expect(seen.withLock { $0 } == bench.request)
        #expect(
            bench.sink.ofMachine == [.detect("cargo"), .initialize("Verifying build inputs")] + lines
                + [.provenance("Generating provenance"), .attest("Generating attestation")])
        #expect(bench.result == result)
    }

    @Test(arguments: ["probe.tar.gz", "my \"own\" \\ name.zip", "ünï-%22.tgz", "../x.tar.gz"])
    func anUploadKeepsItsNameAndItsBytes(name: String) async throws {
        let upload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let folder = TemporaryFolder()
        let path = folder.path + "/source"
        try Data(upload).write(to: URL(fileURLWithPath: path))
        let archive = ArchiveSource(name: try ArchiveName(name), sha256: Digest256(of: upload), size: 300_000)
        var bench = RelayBench()
        bench.request = BuildRequest(nonce: bench.request.nonce, source: .archive(archive))
        bench.archivePath = path
        let run = bench
        let seen = Mutex<BuildRequest?>(nil)
        var made = MadeResult()
        made.source = ["name": .string(name), "sha256": .string(archive.sha256.hex)]
        let result = try made.bytes()
        try await serve { job, events, data in
            seen.withLock { $0 = job.request }
            try events.append([.detect("cargo")])
            try Data(result).write(to: URL(fileURLWithPath: data.resultPath(job.id)))
            return nil
        } _: { machine in
            #expect(await run.run(machine) == nil)
        }
        #expect(seen.withLock { $0 } == bench.request)
        #expect(bench.result == result)
    }

    @Test func aFailureOfTheServiceIsPassedOn() async throws {
        let bench = RelayBench()
        try await serve { _, _, _ in
            BuildFailure(.build, "it does not compile")
        } _: { machine in
            #expect(await bench.run(machine) == BuildFailure(.build, "it does not compile"))
        }
    }
}
