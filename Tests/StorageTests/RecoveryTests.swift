// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import GRDB
import Storage
import Testing

@Suite struct RecoveryTests {
    private let temporary: TemporaryFolder
    private let folder: DataFolder

    init() throws {
        temporary = try TemporaryFolder()
        folder = try DataFolder(path: temporary.path)
    }

    /// How a job stood when the service stopped, and what becomes of it.
    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let attempts: Int
        let end: BuildEvent?
        let state: StoredJob.State
        /// `nil` where the job goes on.
        let outcome: BuildFailure.Kind??
    }

    private static let rows = [
        Row(testDescription: "waiting", attempts: 0, end: nil, state: .queued, outcome: nil),
        Row(testDescription: "first attempt", attempts: 1, end: nil, state: .running, outcome: nil),
        Row(testDescription: "second attempt", attempts: 2, end: nil, state: .failed, outcome: .some(.interrupted)),
        Row(testDescription: "third attempt", attempts: 3, end: nil, state: .failed, outcome: .some(.interrupted)),
        Row(
            testDescription: "good, row behind", attempts: 1, end: .complete(nil), state: .succeeded,
            outcome: .some(nil)),
        Row(
            testDescription: "good in the second attempt", attempts: 2, end: .complete(nil), state: .succeeded,
            outcome: .some(nil)),
        Row(
            testDescription: "failed, row behind", attempts: 1, end: .complete(BuildFailure(.build, "no")),
            state: .failed, outcome: .some(.build)),
        Row(
            testDescription: "cancelled while it waited", attempts: 0, end: .complete(BuildFailure(.cancelled, "no")),
            state: .failed, outcome: .some(.cancelled)),
    ]

    @Test(arguments: rows, StoreKind.allCases)
    func everyJobGoesOnOrEnds(row: Row, kind: StoreKind) async throws {
        let store = try kind.make(in: temporary)
        try await make(1, attempts: row.attempts, end: row.end, store: store)
        let before = try bytes(of: folder.eventsPath(id(1)))
        // What a recovery did, a second one does not change.
        for _ in 1...2 {
            let logs = EventLogs(folder: folder, limit: 1 << 20)
            let recovered = try await recover(store: store, logs: logs, folder: folder)
            let log = try await logs.log(id(1))
            #expect(recovered.map(\.job.id) == (row.outcome == nil ? [id(1)] : []))
            #expect(recovered.allSatisfy { $0.toldPosition == 0 && $0.job.attempt == row.attempts })
            #expect(log.outcome.map { $0?.kind } == row.outcome)
            #expect(try await store.job(id(1))?.state == row.state)
            #expect(try await store.job(id(1))?.attempt == row.attempts)
            let isInterrupted = row.outcome == .some(.interrupted)
            #expect(log.state.count == (row.end == nil ? 1 : 2) + (isInterrupted ? 1 : 0))
            #expect(try bytes(of: folder.eventsPath(id(1))).starts(with: before))
        }
    }

    @Test func interruptedJobsComeFirstAndTheOrderIsKept() async throws {
        let store: any BuildStore = MemoryBuildStore()
        for (number, attempts) in [(1, 0), (2, 1), (3, 2), (4, 0), (5, 1)] as [(UInt64, Int)] {
            try await make(number, attempts: attempts, end: nil, store: store)
        }
        let recovered = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        #expect(recovered.map(\.job.id) == [2, 5, 1, 4].map(id))
        #expect(try await store.markRunning(id(2)) == 2)
    }

    @Test func aJobThatWasPutBackIsStartedAsOften() async throws {
        let store: any BuildStore = MemoryBuildStore()
        try await make(1, attempts: 1, end: nil, store: store)
        try await store.requeue(id(1))
        let recovered = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        #expect(recovered.map(\.job.attempt) == [0])
        #expect(recovered.map(\.job.state) == [.queued])
    }

    @Test(arguments: [0, 1, 2])
    func whatAnAttemptLeftIsRemoved(attempts: Int) async throws {
        let store: any BuildStore = MemoryBuildStore()
        try await make(1, attempts: attempts, end: nil, store: store)
        try leaveThings(in: folder.folderPath(id(1)))
        _ = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.folderPath(id(1)))
        // The second attempt was the last: nobody needs the upload any more.
        #expect(Set(names) == (attempts < 2 ? ["source", "events.sse"] : ["events.sse"]))
        guard attempts < 2 else { return }
        #expect(try bytes(of: folder.sourcePath(id(1))) == [1])
    }

    @Test(arguments: [true, false])
    func onlyAGoodBuildKeepsItsResult(isGood: Bool) async throws {
        let store: any BuildStore = MemoryBuildStore()
        let end = BuildEvent.complete(isGood ? nil : BuildFailure(.build, "no"))
        try await make(1, attempts: 1, end: end, store: store)
        try leaveThings(in: folder.folderPath(id(1)))
        _ = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        #expect(exists(folder.resultPath(id(1))) == isGood)
        #expect(!exists(folder.sourcePath(id(1))))
    }

    @Test func anUploadThatOutlivedItsJobIsRemoved() async throws {
        let store: any BuildStore = MemoryBuildStore()
        for number in 1...2 as ClosedRange<UInt64> {
            try await make(number, attempts: 1, end: number == 1 ? .complete(nil) : nil, store: store)
        }
        try await store.finish(id(1), nil)
        try write([1], to: folder.sourcePath(id(1)))
        _ = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        #expect(!exists(folder.sourcePath(id(1))) && exists(folder.eventsPath(id(1))))
        #expect(exists(folder.sourcePath(id(2))))
    }

    @Test func jobsThatWereNeverAcknowledgedAreRemovedAndOthersStay() async throws {
        let store: any BuildStore = MemoryBuildStore()
        let logs = EventLogs(folder: folder, limit: 1 << 20)
        try await make(1, attempts: 0, end: nil, store: store)
        try await make(2, attempts: 1, end: .complete(nil), store: store)
        try await store.finish(id(2), nil)
        _ = try logs.create(id(3), source: nil, position: 0)
        try write([1], to: folder.path + "/jobs/note")
        _ = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        #expect(exists(folder.folderPath(id(1))) && exists(folder.folderPath(id(2))))
        #expect(!exists(folder.folderPath(id(3))))
        #expect(exists(folder.path + "/jobs/note"))
    }

    @Test func aTornLogGoesOnAfterItsLastWholeEvent() async throws {
        let store: any BuildStore = MemoryBuildStore()
        try await make(1, attempts: 1, end: .complete(nil), store: store)
        let all = try bytes(of: folder.eventsPath(id(1)))
        try write(Array(all.dropLast()), to: folder.eventsPath(id(1)))
        let logs = EventLogs(folder: folder, limit: 1 << 20)
        _ = try await recover(store: store, logs: logs, folder: folder)
        let log = try await logs.log(id(1))
        #expect(log.state.count == 1)
        try log.append([.complete(nil)])
        #expect(try bytes(of: folder.eventsPath(id(1))) == all)
    }

    @Test func aLogThatCannotBeReadEndsItsJobAndNoOther() async throws {
        let store: any BuildStore = MemoryBuildStore()
        for number in 1...2 as ClosedRange<UInt64> { try await make(number, attempts: 1, end: nil, store: store) }
        try write(Array("data: nonsense\n\n".utf8), to: folder.eventsPath(id(1)))
        let recovered = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        #expect(recovered.map(\.job.id) == [id(2)])
        #expect(try await store.job(id(1))?.state == .failed)
        #expect(exists(folder.eventsPath(id(1))))
        #expect(!exists(folder.sourcePath(id(1))) && exists(folder.sourcePath(id(2))))
    }

    /// An older database was put back: the job is unknown, its result is all that is left of it.
    @Test func aResultWithoutARecordIsSetAsideHoweverOften() async throws {
        let store: any BuildStore = MemoryBuildStore()
        let logs = EventLogs(folder: folder, limit: 1 << 20)
        for name in ["", ".2", ".3"] {
            _ = try logs.create(id(1), source: nil, position: 0)
            try write(Array("result\(name)".utf8), to: folder.resultPath(id(1)))
            _ = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
            #expect(!exists(folder.folderPath(id(1))) && folder.hasDamage(id(1)))
            let place = "\(folder.path)/damaged/\(id(1))\(name)"
            #expect(try bytes(of: place + "/result.tar.gz") == Array("result\(name)".utf8))
        }
    }

    @Test(arguments: [true, false])
    func whatAFailedBuildLeftGoesWhenItsEndIsSettled(isGood: Bool) async throws {
        let store: any BuildStore = MemoryBuildStore()
        try await make(1, attempts: 1, end: nil, store: store)
        try leaveThings(in: folder.folderPath(id(1)))
        try await settle(id(1), isGood ? nil : BuildFailure(.internal, "no"), store: store, folder: folder)
        #expect(exists(folder.resultPath(id(1))) == isGood)
        #expect(exists(folder.eventsPath(id(1))) && !exists(folder.sourcePath(id(1))))
    }

    /// What a power cut may leave of an accepted job, of which only the record and the upload's first name were synced.
    enum Loss: CaseIterable {
        case nothing, folder, log, content, tornContent, source, sourceAndLog
    }

    @Test(arguments: Loss.allCases, [0, 3])
    func whatAPowerCutTakesFromAnAcceptedJobIsMadeAgain(loss: Loss, position: Int) async throws {
        let store: any BuildStore = MemoryBuildStore()
        try write([1], to: folder.incomingPath(id(1)))
        let logs = EventLogs(folder: folder, limit: 1 << 20)
        _ = try logs.create(id(1), source: folder.incomingPath(id(1)), position: position)
        let seen = try bytes(of: folder.eventsPath(id(1)))
        try await store.accept(StoredJob(id: id(1), request: job(1).request, position: position))
        switch loss {
        case .nothing: break
        case .folder: try FileManager.default.removeItem(atPath: folder.folderPath(id(1)))
        case .log: try FileManager.default.removeItem(atPath: folder.eventsPath(id(1)))
        case .content: try write([], to: folder.eventsPath(id(1)))
        case .tornContent: try write(Array(seen.prefix(9)), to: folder.eventsPath(id(1)))
        case .source: try FileManager.default.removeItem(atPath: folder.sourcePath(id(1)))
        case .sourceAndLog:
            for path in [folder.sourcePath(id(1)), folder.eventsPath(id(1))] {
                try FileManager.default.removeItem(atPath: path)
            }
        }
        for _ in 1...2 {
            let again = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
            #expect(again.map(\.job.id) == [id(1)])
            #expect(try bytes(of: folder.eventsPath(id(1))) == seen)
            #expect(try bytes(of: folder.sourcePath(id(1))) == [1])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming").isEmpty)
        }
    }

    @Test func whatWasBeingReceivedIsCleared() async throws {
        try write([1], to: folder.incomingPath(id(1)))
        try write([1], to: folder.path + "/incoming/other")
        let logs = EventLogs(folder: folder, limit: 1 << 20)
        #expect(try await recover(store: MemoryBuildStore(), logs: logs, folder: folder).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming").isEmpty)
    }

    @Test func theEndOfAJobIsOnRecordWithItsFiles() async throws {
        let store: any BuildStore = MemoryBuildStore()
        try await make(1, attempts: 1, end: .complete(nil), store: store)
        try write([1, 2], to: folder.resultPath(id(1)))
        try await make(2, attempts: 1, end: .complete(BuildFailure(.build, "no")), store: store)
        try await make(3, attempts: 2, end: nil, store: store)
        _ = try await recover(store: store, logs: EventLogs(folder: folder, limit: 1 << 20), folder: folder)
        for number in 1...3 as ClosedRange<UInt64> {
            let job = try #require(try await store.job(id(number)))
            #expect(job.logFile == (try FileRecord(of: folder.eventsPath(job.id))))
            #expect(job.resultFile == (number == 1 ? try FileRecord(of: folder.resultPath(job.id)) : nil))
        }
    }

    @Test(arguments: ["attempt = 7", "id = 'unknown'"])
    func aDamagedRecordIsSetAsideWithItsFolderAndTheOthersGoOn(change: String) async throws {
        let store = try SQLiteBuildStore(path: folder.databasePath)
        for number in 1...3 as ClosedRange<UInt64> { try await make(number, attempts: 0, end: nil, store: store) }
        try await DatabaseQueue(path: folder.databasePath).writeWithoutTransaction { database in
            try database.execute(sql: "UPDATE job SET \(change) WHERE id = '\(id(2))'")
        }
        for _ in 1...2 {
            let logs = EventLogs(folder: folder, limit: 1 << 20)
            #expect(try await recover(store: store, logs: logs, folder: folder).map(\.job.id) == [id(1), id(3)])
            #expect(!exists(folder.folderPath(id(2))))
            #expect(exists(folder.path + "/damaged/\(id(2))/events.sse"))
            #expect(folder.hasDamage(id(2)) && !folder.hasDamage(id(1)))
        }
    }

    @Test func aResultIsCheckedOnceBeforeItIsServed() async throws {
        let store: any BuildStore = MemoryBuildStore()
        try await make(1, attempts: 1, end: .complete(nil), store: store)
        try write([1, 2], to: folder.resultPath(id(1)))
        try await settle(id(1), nil, store: store, folder: folder)
        let job = try #require(try await store.job(id(1)))
        let checks = ResultChecks()
        try await checks.check(job, in: folder)
        try write([1, 3], to: folder.resultPath(id(1)))
        try await checks.check(job, in: folder)
        for _ in 1...2 { #expect(await code { try await ResultChecks().check(job, in: folder) } == .damaged) }
        #expect(!exists(folder.resultPath(id(1))))
        #expect(try bytes(of: folder.path + "/damaged/\(id(1)).result.tar.gz") == [1, 3])
        // What was put back is damaged as well: both are kept.
        try write([1, 4], to: folder.resultPath(id(1)))
        let error = await #expect(throws: StorageError.self) { try await ResultChecks().check(job, in: folder) }
        #expect(error?.message.contains("damaged/\(id(1)).result.tar.gz.2;") == true)
        #expect(try bytes(of: folder.path + "/damaged/\(id(1)).result.tar.gz") == [1, 3])
        #expect(try bytes(of: folder.path + "/damaged/\(id(1)).result.tar.gz.2") == [1, 4])
    }

    private func make(_ number: UInt64, attempts: Int, end: BuildEvent?, store: any BuildStore) async throws {
        try write([1], to: folder.incomingPath(id(number)))
        let logs = EventLogs(folder: folder, limit: 1 << 20)
        let log = try logs.create(id(number), source: folder.incomingPath(id(number)), position: 0)
        try await store.accept(job(number))
        folder.dropIncoming(id(number))
        for _ in 0..<attempts { _ = try await store.markRunning(id(number)) }
        if let end { try log.append([end]) }
    }

    private func leaveThings(in path: String) throws {
        for name in ["result.tar.gz", "result.tar.gz.new"] { try write([1], to: "\(path)/\(name)") }
        try FileManager.default.createDirectory(atPath: path + "/half", withIntermediateDirectories: true)
        try write([1], to: path + "/half/file")
    }
}
