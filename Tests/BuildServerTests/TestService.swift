// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import ByteCoding
import Foundation
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// A whole service on a port of its own, with a stand-in for the pipeline.
struct TestService: Sendable {
    let client: RawClient
    let data: DataFolder
    let store: any BuildStore
    private let group: ServiceGroup
    private let run: Task<Void, any Error>

    /// Runs the service for as long as `use` takes.
    static func run(
        _ configure: (inout Configuration) -> Void = { _ in }, oneBuild: OneBuild? = nil, metrics: Metrics = Metrics(),
        runner: @escaping TestRunner = TestRunners.succeed, _ use: (TestService) async throws -> Void
    ) async throws {
        let folder = TestFolder()
        let storage = try TestStorage(folder.path, isDurable: false)
        try await run(over: storage, configure, oneBuild: oneBuild, metrics: metrics, runner: runner, use)
    }

    /// The same over storage that stays.
    static func run(
        over storage: TestStorage, _ configure: (inout Configuration) -> Void = { _ in }, oneBuild: OneBuild? = nil,
        metrics: Metrics = Metrics(),
        runner: @escaping TestRunner = TestRunners.succeed, _ use: (TestService) async throws -> Void
    ) async throws {
        var configuration = Configuration()
        (configuration.port, configuration.concurrency) = (0, 1)
        configure(&configuration)
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let service = BuildService(
            configuration: configuration, data: storage.data, store: storage.store, logs: storage.logs,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, version: "test",
            metrics: metrics, oneBuild: oneBuild, onListening: { continuation.yield($0) },
            runner: { job, log, slot in await runner(TestBuild(job: job, log: log, slot: slot, data: storage.data)) })
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: Logger(label: "test")))
        let run = Task { try await group.run() }
        guard let port = await ports.first(where: { _ in true }) else { return }
        try await use(
            TestService(client: RawClient(port: port), data: storage.data, store: storage.store, group: group, run: run)
        )
        await group.triggerGracefulShutdown()
        try await run.value
    }

    /// Uploads that are on the disk and belong to no job.
    var leftovers: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: data.path + "/incoming")) ?? ["no folder"]
    }

    /// Returns when the service has ended by itself.
    func ended() async throws { try await run.value }

    /// What SIGTERM does.
    func shutDown() async { await group.triggerGracefulShutdown() }
}

/// A build as the stand-in for the pipeline sees it.
struct TestBuild: Sendable {
    let job: StoredJob
    let log: any BuildEventSink
    let slot: Int
    let data: DataFolder

    /// Puts a result in its place.
    func putResult(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: data.resultPath(job.id)), options: .atomic)
    }

    /// Puts the copy for clients that take zstd in its place: these bytes, and the seal of `sealed`.
    func putEncodedResult(_ bytes: [UInt8], sealed: [UInt8]) throws {
        let seal = [0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0] + Digest256(of: sealed).bytes
        try Data(bytes + seal).write(to: URL(fileURLWithPath: data.encodedResultPath(job.id)), options: .atomic)
    }

    /// The archive as the service kept it.
    func source() -> [UInt8]? { FileManager.default.contents(atPath: data.sourcePath(job.id)).map(Array.init) }
}

typealias TestRunner = @Sendable (TestBuild) async -> BuildFailure?

/// Stand-ins for the pipeline.
enum TestRunners {
    static let result = Array("the result".utf8)

    /// One event, a result, success.
    static let succeed: TestRunner = { build in
        do {
            try build.log.append([.detect("cargo"), .build("line")])
            try build.putResult(result)
            return nil
        } catch {
            return BuildFailure(.internal, "\(error)")
        }
    }

    static let fail: TestRunner = { _ in BuildFailure(.build, "it does not compile") }
}

/// A door that builds wait at until a test opens it; also for tests that wait for builds.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Throws where the task is cancelled.
    func wait() async throws {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if state.isOpen { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[number] = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
