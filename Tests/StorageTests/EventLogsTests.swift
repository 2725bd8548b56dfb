// SPDX-License-Identifier: Apache-2.0
import Builds
import Storage
import Testing

@Suite struct EventLogsTests {
    private let temporary: TemporaryFolder
    private let folder: DataFolder
    private let logs: EventLogs

    init() throws {
        temporary = try TemporaryFolder()
        folder = try DataFolder(path: temporary.path)
        logs = EventLogs(folder: folder, limit: 1 << 20)
    }

    private func create(_ number: UInt64, complete: Bool = false) throws -> EventLog {
        let log = try logs.create(id(number), source: nil, position: 0)
        if complete { try log.append([.complete(nil)]) }
        return log
    }

    @Test func aNewJobHasItsSourceAndItsPlaceInLine() async throws {
        try write([1, 2, 3], to: folder.incomingPath(id(1)))
        let log = try logs.create(id(1), source: folder.incomingPath(id(1)), position: 7)
        #expect(try log.allBytes() == wireBytes([.queued(position: 7)]))
        #expect(try bytes(of: folder.sourcePath(id(1))) == [1, 2, 3])
        #expect(exists(folder.incomingPath(id(1))), "a crash now would lose the upload")
        folder.dropIncoming(id(1))
        #expect(!exists(folder.incomingPath(id(1))))
        #expect(try bytes(of: folder.sourcePath(id(1))) == [1, 2, 3])
        #expect(try mode(of: folder.folderPath(id(1))) == 0o700)
        #expect(try await logs.log(id(1)) === log)
    }

    @Test func aSourceThatIsNotThereIsRefused() async throws {
        #expect(await code { _ = try logs.create(id(1), source: temporary.file("none"), position: 0) } == .inputOutput)
    }

    @Test func aLogThatIsMissingIsNotMadeAgain() async throws {
        #expect(await code { _ = try await logs.log(id(1)) } == .corrupt)
        #expect(!exists(folder.eventsPath(id(1))))
    }

    @Test func aLogThatSomebodyHoldsIsTheSameForAllAndTheOthersAreClosed() async throws {
        let held = try create(0)
        try held.append([.build("a")])
        weak let dropped = try create(1, complete: true)
        for number in 2...2000 as ClosedRange<UInt64> { _ = try create(number, complete: number.isMultiple(of: 2)) }
        #expect(try await logs.log(id(0)) === held)
        #expect(dropped == nil, "logs of waiting jobs would keep a file open each")
        let again = try await logs.log(id(1))
        #expect(again.outcome == .some(nil))
        #expect(try await logs.log(id(1)) === again)
    }

    @Test func aLogThatIsReadAgainStaysOpen() async throws {
        weak let first = try create(0, complete: true)
        for number in 1...400 as ClosedRange<UInt64> {
            _ = try create(number)
            #expect(try await logs.log(id(0)) === first)
        }
    }

    @Test func aFinishedLogIsCheckedWhenItIsOpened() async throws {
        let changes: [([UInt8]) -> [UInt8]] = [
            { $0 + [10] }, { Array($0.dropLast()) }, { [$0[0] ^ 1] + $0.dropFirst() },
        ]
        for (change, place) in zip(changes, ["", ".2", ".3"]) {
            let logs = EventLogs(folder: folder, limit: 1 << 20)
            try logs.create(id(1), source: nil, position: 0).append([.build("a"), .complete(nil)])
            let path = folder.eventsPath(id(1))
            let record = try FileRecord(of: path)
            let fresh = EventLogs(folder: folder, limit: 1 << 20)
            #expect(try await fresh.log(id(1), expecting: record).outcome == .some(nil))
            let changed = change(try bytes(of: path))
            try write(changed, to: path)
            #expect(try await fresh.log(id(1), expecting: record).outcome == .some(nil), "it was opened before")
            let third = EventLogs(folder: folder, limit: 1 << 20)
            for _ in 1...2 { #expect(await code { _ = try await third.log(id(1), expecting: record) } == .damaged) }
            #expect(!exists(path) && folder.hasDamage(id(1)))
            #expect(try bytes(of: folder.path + "/damaged/\(id(1)).events.sse\(place)") == changed)
        }
    }

    @Test func manyWhoOpenOneFinishedLogGetTheSame() async throws {
        try create(1).append([.complete(nil)])
        let record = try FileRecord(of: folder.eventsPath(id(1)))
        let fresh = EventLogs(folder: folder, limit: 1 << 20)
        let opened = try await withThrowingTaskGroup(of: EventLog.self) { group in
            for _ in 0..<50 { group.addTask { try await fresh.log(id(1), expecting: record) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(opened.map(ObjectIdentifier.init)).count == 1)
    }

    @Test func aForgottenLogIsNotHandedOutAgain() async throws {
        let log = try create(1)
        logs.forget(id(1))
        folder.remove(id(1))
        #expect(await code { _ = try await logs.log(id(1)) } == .corrupt)
        let next = try create(1)
        #expect(next !== log)
        #expect(next.state.count == 1)
        logs.forget(id(2))
    }
}
