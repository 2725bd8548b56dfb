// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Storage
import Testing

/// The stores that must keep the contract of `BuildStore`.
enum StoreKind: CaseIterable {
    case memory, sqlite

    func make(in folder: TemporaryFolder) throws -> any BuildStore {
        switch self {
        case .memory: MemoryBuildStore()
        case .sqlite: try SQLiteBuildStore(path: folder.file("jobs.sqlite"))
        }
    }
}

@Suite struct BuildStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: StoreKind.allCases)
    func anAcceptedJobIsFoundAsItWas(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        let job = try job(1)
        try await store.accept(job)
        #expect(try await store.job(job.id) == job)
        #expect(try await store.unfinished() == [job])
        #expect(try await store.allJobs() == [job.id])
    }

    @Test(arguments: StoreKind.allCases)
    func aNewStoreHasNoJobs(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        #expect(try await store.job(id(1)) == nil)
        #expect(try await store.unfinished().isEmpty)
        #expect(try await store.allJobs().isEmpty)
    }

    @Test(arguments: StoreKind.allCases)
    func anIdThatIsThereAlreadyIsRefusedAndChangesNothing(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(job(1))
        _ = try await store.markRunning(id(1))
        #expect(await code { try await store.accept(job(1)) } == .corrupt)
        #expect(try await store.job(id(1))?.state == .running)
        #expect(try await store.unfinished().count == 1)
    }

    @Test(arguments: StoreKind.allCases)
    func jobsKeepTheOrderOfTheirAcceptance(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        let numbers: [UInt64] = [5, 1, 9, 3, 7]
        for number in numbers { try await store.accept(job(number)) }
        _ = try await store.markRunning(id(9))
        _ = try await store.markRunning(id(1))
        try await store.requeue(id(1))
        #expect(try await store.unfinished().map(\.id) == numbers.map(id))
        try await store.finish(id(5), nil)
        try await store.finish(id(9), BuildFailure(.build, "no"))
        #expect(try await store.unfinished().map(\.id) == [id(1), id(3), id(7)])
        #expect(try await store.allJobs() == Set(numbers.map(id)))
    }

    @Test(arguments: StoreKind.allCases)
    func attemptsAreCountedFromOne(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(job(1))
        #expect(try await store.markRunning(id(1)) == 1)
        #expect(try await store.markRunning(id(1)) == 2)
        #expect(try await store.job(id(1))?.state == .running)
        #expect(try await store.job(id(1))?.attempt == 2)
    }

    @Test(arguments: StoreKind.allCases)
    func anAttemptThatIsPutBackDoesNotCount(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(job(1))
        try await store.requeue(id(1))
        #expect(try await store.job(id(1))?.attempt == 0)
        _ = try await store.markRunning(id(1))
        try await store.requeue(id(1))
        #expect(try await store.job(id(1))?.attempt == 0)
        #expect(try await store.job(id(1))?.state == .queued)
        #expect(try await store.markRunning(id(1)) == 1)
    }

    @Test(arguments: StoreKind.allCases)
    func anEndIsGoodOrAFailure(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        for number in 1...2 { try await store.accept(job(UInt64(number))) }
        try await store.finish(id(1), nil)
        try await store.finish(id(2), BuildFailure(.timeout, "too long"))
        #expect(try await store.job(id(1))?.state == .succeeded)
        #expect(try await store.job(id(2))?.state == .failed)
    }

    @Test(arguments: StoreKind.allCases)
    func aLongMessageIsCutLikeInTheLog(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(job(1))
        let failure = BuildFailure(.build, String(repeating: "é", count: 1 << 20))
        let log = try EventLog(path: folder.file("events.sse"), limit: 1 << 20)
        try log.append([.complete(failure)])
        try await store.finish(id(1), failure)
        let kept = try #require(try await store.job(id(1))?.failure)
        #expect(kept.message.utf8.count <= BuildFailure.maximumLength && kept.message.hasPrefix("éé"))
        #expect(log.outcome == .some(kept))
        #expect(try EventLog(path: folder.file("events.sse"), limit: 1 << 20).outcome == .some(kept))
    }

    @Test(arguments: StoreKind.allCases)
    func aJobCarriesItsTimesAndTheSizesOfItsFiles(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(job(1))
        #expect(try await store.job(id(1))?.startedAt == nil)
        _ = try await store.markRunning(id(1))
        let running = try #require(try await store.job(id(1)))
        #expect(running.startedAt ?? "" >= running.createdAt && running.finishedAt == nil && running.resultSize == nil)
        let files = FinishedFiles(
            log: FileRecord(size: 3, sha256: Digest256(of: [1])),
            result: FileRecord(size: 1 << 40, sha256: Digest256(of: [2])))
        try await store.finish(id(1), nil, files)
        let ended = try #require(try await store.job(id(1)))
        #expect(ended.finishedAt ?? "" >= running.startedAt ?? "?")
        #expect(ended.logFile == files.log && ended.resultFile == files.result && ended.resultSize == 1 << 40)
        #expect(ended.failure == nil && !ended.isUnfinished)
    }

    @Test(arguments: StoreKind.allCases)
    func finishedJobsComeInTheOrderOfTheirEnds(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        for number in 1...6 as ClosedRange<UInt64> { try await store.accept(job(number)) }
        for number in [4, 2, 5] as [UInt64] { try await store.finish(id(number), nil) }
        try await store.finish(id(1), BuildFailure(.cancelled, "no"))
        let future = "9999-01-01T00:00:00Z"
        let all = try await store.finished(before: future, limit: 10)
        #expect(Set(all.map(\.id)) == Set([1, 2, 4, 5].map(id)))
        #expect(all.map { $0.finishedAt ?? "" } == all.map { $0.finishedAt ?? "" }.sorted())
        #expect(all.first { $0.id == id(1) }?.failure == BuildFailure(.cancelled, "no"))
        #expect(try await store.finished(before: future, limit: 2) == Array(all.prefix(2)))
        #expect(try await store.finished(before: "2001-01-01T00:00:00Z", limit: 10).isEmpty)
    }

    @Test(arguments: StoreKind.allCases)
    func onlyAJobThatHasEndedIsRemovedAndItsKeyWithIt(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(StoredJob(id: id(1), request: job(1).request, idempotencyKey: "a"))
        try await store.accept(job(2))
        #expect(await code { try await store.remove(id(1)) } == .unfinished)
        _ = try await store.markRunning(id(1))
        #expect(await code { try await store.remove(id(1)) } == .unfinished)
        try await store.finish(id(1), nil)
        #expect(try await store.job(withKey: "a")?.id == id(1))
        try await store.remove(id(1))
        #expect(try await store.job(id(1)) == nil)
        #expect(try await store.job(withKey: "a") == nil)
        #expect(try await store.allJobs() == [id(2)])
        #expect(await code { try await store.remove(id(1)) } == .unknownJob)
        try await store.accept(StoredJob(id: id(3), request: job(1).request, idempotencyKey: "a"))
    }

    @Test(arguments: StoreKind.allCases)
    func anIdempotencyKeyIsTakenOnce(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(StoredJob(id: id(1), request: job(1).request, position: 4, idempotencyKey: "a"))
        #expect(
            await code { try await store.accept(StoredJob(id: id(2), request: job(1).request, idempotencyKey: "a")) }
                == .corrupt)
        try await store.accept(job(3))
        try await store.accept(job(4))
        #expect(try await store.job(withKey: "a")?.position == 4)
        #expect(try await store.job(withKey: "b") == nil)
        #expect(try await store.unfinished().map(\.id) == [id(1), id(3), id(4)])
    }

    @Test(arguments: StoreKind.allCases)
    func aWholeStoreHasNoDamage(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await store.accept(job(1))
        #expect(try await store.setAsideDamaged().isEmpty)
        #expect(try await store.allJobs() == [id(1)])
    }

    @Test(arguments: StoreKind.allCases)
    func aJobThatIsNotThereIsUnknown(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        #expect(await code { _ = try await store.markRunning(id(1)) } == .unknownJob)
        #expect(await code { try await store.requeue(id(1)) } == .unknownJob)
        #expect(await code { try await store.finish(id(1), nil) } == .unknownJob)
        #expect(try await store.allJobs().isEmpty)
    }

    @Test(arguments: StoreKind.allCases)
    func callsAtOneTimeAreAllKept(kind: StoreKind) async throws {
        let store = try kind.make(in: folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...40 as ClosedRange<UInt64> {
                group.addTask {
                    try await store.accept(job(number))
                    _ = try await store.markRunning(id(number))
                    if number.isMultiple(of: 2) { try await store.finish(id(number), nil) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.allJobs() == Set((1...40).map(id)))
        #expect(Set(try await store.unfinished().map(\.id)) == Set((1...40).filter { $0 % 2 == 1 }.map(id)))
    }
}

/// What the storage refused with; `nil` where it did not.
func code(_ body: () async throws -> Void) async -> StorageError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StorageError)?.code
    }
}
