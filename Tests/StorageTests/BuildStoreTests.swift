// SPDX-License-Identifier: Apache-2.0
import Builds
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
