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

    @Test func aNewJobHasItsSourceAndAnEmptyLog() async throws {
        try write([1, 2, 3], to: folder.incomingPath(id(1)))
        let log = try await logs.create(id(1), source: folder.incomingPath(id(1)))
        #expect(log.state.length == 0)
        #expect(try bytes(of: folder.sourcePath(id(1))) == [1, 2, 3])
        #expect(!exists(folder.incomingPath(id(1))))
        #expect(try mode(of: folder.folderPath(id(1))) == 0o700)
        #expect(try await logs.log(id(1)) === log)
    }

    @Test func aSourceThatIsNotThereIsRefused() async throws {
        #expect(await code { _ = try await logs.create(id(1), source: temporary.file("none")) } == .inputOutput)
    }

    @Test func aLogThatIsMissingIsNotMadeAgain() async throws {
        #expect(await code { _ = try await logs.log(id(1)) } == .corrupt)
        #expect(!exists(folder.eventsPath(id(1))))
    }

    @Test func unfinishedLogsStayOpenAndTheOldestFinishedOnesAreClosed() async throws {
        let unfinished = try await logs.create(id(0), source: nil)
        try unfinished.append([.build("a")])
        let finished = try await logs.create(id(1), source: nil)
        try finished.append([.complete(nil)])
        for number in 2...200 as ClosedRange<UInt64> {
            try await logs.create(id(number), source: nil).append([.complete(nil)])
        }
        #expect(try await logs.log(id(0)) === unfinished)
        let again = try await logs.log(id(1))
        #expect(again !== finished)
        #expect(again.outcome == .some(nil))
        #expect(try again.allBytes() == finished.allBytes())
        #expect(try await logs.log(id(1)) === again)
    }

    @Test func manyUnfinishedLogsAreAllKept() async throws {
        var made: [EventLog] = []
        for number in 0..<150 as Range<UInt64> { made.append(try await logs.create(id(number), source: nil)) }
        for number in 0..<150 { #expect(try await logs.log(id(UInt64(number))) === made[number]) }
    }

    @Test func aLogThatIsReadAgainIsNotTheOldest() async throws {
        let first = try await logs.create(id(0), source: nil)
        try first.append([.complete(nil)])
        for number in 1...200 as ClosedRange<UInt64> {
            try await logs.create(id(number), source: nil).append([.complete(nil)])
            #expect(try await logs.log(id(0)) === first)
        }
    }

    @Test func aForgottenLogIsNotHandedOutAgain() async throws {
        let log = try await logs.create(id(1), source: nil)
        try log.append([.queued(position: 0)])
        await logs.forget(id(1))
        folder.remove(id(1))
        #expect(await code { _ = try await logs.log(id(1)) } == .corrupt)
        let next = try await logs.create(id(1), source: nil)
        #expect(next !== log)
        #expect(next.state.count == 0)
        await logs.forget(id(2))
    }
}
