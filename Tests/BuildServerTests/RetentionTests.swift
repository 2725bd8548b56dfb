// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Foundation
import Logging
import Storage
import Synchronization
import Testing

@Suite struct RetentionTests {
    /// Jobs that have ended, their files, and who removes them.
    private struct Jobs {
        let storage: TestStorage
        let reads = JobReads()
        var ids: [JobID] = []

        init(_ folder: TestFolder, isDurable: Bool) throws {
            storage = try TestStorage(folder.path, isDurable: isDurable)
        }

        func retention(age: Int = 0, size: Int64 = 0) -> Retention {
            var settings = RetentionSettings()
            (settings.age, settings.size) = (age, size)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            return Retention(
                settings, data: storage.data, store: storage.store, logs: storage.logs, reads: reads,
                metrics: Metrics(),
                logger: logger)
        }

        /// A job with a result of `size` bytes, which has ended; without one, a job that waits.
        mutating func add(size: Int?) async throws {
            let id = JobID(high: 9, low: UInt64(ids.count))
            let source = GitSource(url: try GitURL("https://example.com/a"), ref: nil)
            let log = try storage.logs.create(id, source: nil, position: 0)
            try await storage.store.accept(
                StoredJob(id: id, request: BuildRequest(nonce: try Nonce(hex: "ab"), source: .git(source))))
            ids.append(id)
            guard let size else { return }
            try Data(count: size).write(to: URL(fileURLWithPath: storage.data.resultPath(id)))
            _ = try await storage.store.markRunning(id)
            try log.append([.complete(nil)])
            try await settle(id, nil, store: storage.store, folder: storage.data)
        }

        /// The numbers of the jobs that are left; a job is there wholly or not at all.
        func left() async throws -> [Int] {
            var left: [Int] = []
            for (number, id) in ids.enumerated() {
                let isThere = try await storage.store.job(id) != nil
                #expect(FileManager.default.fileExists(atPath: storage.data.folderPath(id)) == isThere)
                if isThere { left.append(number) }
            }
            return left
        }
    }

    private static let day = 86400.0

    @Test(arguments: [true, false]) func whatIsTooOldIsRemovedAndWhatWaitsIsNot(isDurable: Bool) async throws {
        let folder = TestFolder()
        // Before any of them ended, however long that takes on a busy machine.
        let start = Date.now
        var jobs = try Jobs(folder, isDurable: isDurable)
        for size in [10, nil, 20] { try await jobs.add(size: size) }
        let retention = jobs.retention(age: 86400)
        #expect(try await retention.sweep(now: start) == [])
        #expect(try await retention.sweep(now: start.addingTimeInterval(Self.day - 1)) == [])
        #expect(
            try await retention.sweep(now: Date(timeIntervalSinceNow: Self.day + 10)) == [jobs.ids[0], jobs.ids[2]])
        #expect(try await jobs.left() == [1])
        #expect(try await retention.sweep(now: Date(timeIntervalSinceNow: 2 * Self.day)) == [])
    }

    @Test func whatIsReadIsRemovedWhenNobodyReadsItAnyMore() async throws {
        let folder = TestFolder()
        var jobs = try Jobs(folder, isDurable: true)
        // More than are looked at at one time, all read but the last.
        for _ in 0..<300 { try await jobs.add(size: 1) }
        var reads = jobs.ids.dropLast().map { jobs.reads.begin($0) }
        let later = Date(timeIntervalSinceNow: Self.day)
        #expect(try await jobs.retention(age: 60).sweep(now: later) == [jobs.ids[299]])
        reads[7] = nil
        #expect(try await jobs.retention(size: 1).sweep(now: later) == [jobs.ids[7]])
        reads = []
        #expect(try await jobs.retention(age: 60).sweep(now: later).count == 298)
        #expect(try await jobs.left() == [])
    }

    @Test func theOldestGoWhereAllTogetherAreTooLarge() async throws {
        let folder = TestFolder()
        let start = Date.now
        var jobs = try Jobs(folder, isDurable: true)
        for size in [1000, nil, 2000, 3000] { try await jobs.add(size: size) }
        let total = try await jobs.storage.store.finishedSize()
        #expect((6000..<7000).contains(total))
        let later = Date(timeIntervalSinceNow: Self.day)
        #expect(try await jobs.retention(size: total).sweep(now: later) == [])
        // In the first minute a requester is still on the way.
        #expect(try await jobs.retention(size: 1).sweep(now: start) == [])
        #expect(try await jobs.retention(size: total - 1).sweep(now: later) == [jobs.ids[0]])
        #expect(try await jobs.retention(size: 2000).sweep(now: later) == [jobs.ids[2], jobs.ids[3]])
        #expect(try await jobs.left() == [1])
        #expect(try await jobs.storage.store.finishedSize() == 0)
    }

    @Test func bothLimitsHold() async throws {
        let folder = TestFolder()
        var jobs = try Jobs(folder, isDurable: false)
        for size in [10, 10, 10] { try await jobs.add(size: size) }
        let retention = jobs.retention(age: 3600, size: 1)
        #expect(try await retention.sweep(now: Date(timeIntervalSinceNow: 120)).count == 3)
    }

    @Test func withoutSettingsNothingIsEverRemoved() async throws {
        let folder = TestFolder()
        var jobs = try Jobs(folder, isDurable: false)
        try await jobs.add(size: 10)
        let retention = jobs.retention()
        await retention.run(pause: { Issue.record("it looks, and has nothing to look for") })
        #expect(try await retention.sweep(now: Date(timeIntervalSinceNow: 10_000 * Self.day)) == [])
        #expect(try await jobs.left() == [0])
    }

    @Test func itLooksAtOnceAndAfterEachPause() async throws {
        let folder = TestFolder()
        var jobs = try Jobs(folder, isDurable: false)
        for _ in 0..<2 { try await jobs.add(size: 10) }
        var read = jobs.reads.begin(jobs.ids[1])
        #expect(read != nil)
        var left: [[Int]] = []
        await jobs.retention(age: 60).run(now: { Date(timeIntervalSinceNow: Self.day) }) {
            left.append(try await jobs.left())
            read = nil
            if left.count == 3 { throw CancellationError() }
        }
        #expect(left == [[1], [], []])
    }

    @Test func aJobThatIsGoneIsAnsweredLikeOneThatNeverWas() async throws {
        let folder = TestFolder()
        let storage = try TestStorage(folder.path, isDurable: true)
        let kept = Mutex<[JobID]>([])
        try await TestService.run(over: storage) { service in
            for _ in 0..<2 {
                let fields = ["nonce": "ab", "repo_url": "https://example.com/a"]
                let id = try #require(JobID(try await service.client.submit(fields).jobID))
                _ = try await service.client.send("GET", "/build/\(id)/events")
                while try await service.store.job(id)?.state != .succeeded { await Task.yield() }
                kept.withLock { $0.append(id) }
            }
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            var settings = RetentionSettings()
            settings.age = 60
            let retention = Retention(
                settings, data: storage.data, store: storage.store, logs: storage.logs, reads: JobReads(),
                metrics: Metrics(),
                logger: logger)
            let first = kept.withLock { $0[0] }
            #expect(try await retention.sweep(now: Date(timeIntervalSinceNow: 120)).contains(first))
            for (method, path) in [("GET", ""), ("GET", "/events"), ("GET", "/result"), ("DELETE", "")] {
                expectRefusal(try await service.client.send(method, "/build/\(first)\(path)"), 404)
            }
        }
    }
}
