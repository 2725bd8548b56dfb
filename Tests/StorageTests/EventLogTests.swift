// SPDX-License-Identifier: Apache-2.0
import Builds
import NIOCore
import Storage
import Testing

@Suite struct EventLogTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("events.sse") }

    init() throws { folder = try TemporaryFolder() }

    private func log(limit: Int64 = 1 << 20) throws -> EventLog { try EventLog(path: path, limit: limit) }

    @Test func aNewLogIsEmpty() throws {
        let log = try log()
        #expect((log.state.length, log.state.count, log.state.isComplete) == (0, 0, false))
        #expect(log.outcome == nil)
        #expect(try log.read(from: 0, limit: 10).readableBytes == 0)
        #expect(try log.offset(ofEvent: 0) == 0)
        #expect(try mode(of: path) == 0o600)
    }

    @Test func theFileHoldsTheBytesThatReadersGet() throws {
        let log = try log()
        let events: [BuildEvent] = [.queued(position: 2), .build("one\ntwo"), .build("")]
        try log.append(Array(events.prefix(1)))
        try log.append(Array(events.dropFirst()))
        try log.append([])
        #expect(try log.allBytes() == wireBytes(events))
        #expect(try bytes(of: path) == wireBytes(events))
        #expect((log.state.length, log.state.count) == (wireBytes(events).count, 3))
    }

    @Test func aPieceIsNeverLongerThanAskedFor() throws {
        let log = try log()
        for number in 0..<20 { try log.append([.build("line \(number)")]) }
        let all = try bytes(of: path)
        for offset in 0...all.count {
            for limit in [1, 7, 40, 1 << 20] {
                let piece = try log.read(from: offset, limit: limit)
                #expect(Array(piece.readableBytesView) == Array(all[offset...].prefix(limit)))
            }
        }
        #expect(try log.read(from: all.count + 1, limit: 10).readableBytes == 0)
        #expect(try log.read(from: -1, limit: 10).readableBytes == 0)
    }

    @Test func piecesOlderThanTheTailComeFromTheFile() throws {
        let log = try log(limit: 8 << 20)
        for number in 0..<900 { try log.append([.build("\(number) " + String(repeating: "x", count: number))]) }
        try log.append([.build(String(repeating: "y", count: 600 << 10))])
        for number in 0..<50 { try log.append([.build("\(number)")]) }
        let all = try bytes(of: path)
        #expect(all.count > 1 << 20)
        #expect(try log.allBytes() == all)
        for offset in stride(from: 0, to: all.count, by: 4_093) {
            let piece = try log.read(from: offset, limit: 5_000)
            #expect(piece.readableBytesView.elementsEqual(all[offset...].prefix(piece.readableBytes)))
            #expect(piece.readableBytes == min(5_000, all.count - offset))
        }
    }

    @Test(arguments: [nil, BuildFailure(.timeout, "too long")])
    func completeIsTheEnd(failure: BuildFailure?) throws {
        let log = try log()
        try log.append([.build("a"), .complete(failure)])
        #expect(log.state.isComplete)
        #expect(log.outcome == .some(failure))
        let before = try bytes(of: path)
        for events in [[.build("b")], [.complete(nil)], [.queued(position: 0)]] as [[BuildEvent]] {
            #expect(kind { try log.append(events) } == .internal)
        }
        #expect(try bytes(of: path) == before)
        #expect(log.state.count == 2)
    }

    @Test(
        arguments: [
            [.complete(nil), .build("after")], [.complete(nil), .complete(nil)],
            [.build("before"), .complete(BuildFailure(.build, "no")), .queued(position: 0)],
        ] as [[BuildEvent]])
    func nothingOfABatchIsKeptWhereSomethingFollowsComplete(events: [BuildEvent]) throws {
        let log = try log()
        #expect(kind { try log.append(events) } == .internal)
        #expect(try bytes(of: path).isEmpty)
        #expect((log.state.count, log.state.isComplete) == (0, false))
        try log.append([.complete(nil)])
        #expect(log.outcome == .some(nil))
    }

    @Test func aBatchBeyondTheLimitIsRefusedWhole() throws {
        let event = BuildEvent.build("0123456789")
        let size = event.wireBytes.count
        let log = try log(limit: Int64(3 * size))
        try log.append([event, event])
        #expect(kind { try log.append([event, event]) } == .resourceLimit)
        #expect((log.state.length, log.state.count) == (2 * size, 2))
        try log.append([event])
        #expect(kind { try log.append([event]) } == .resourceLimit)
        #expect(try bytes(of: path) == wireBytes([event, event, event]))
    }

    @Test func completeStillFitsBeyondTheLimit() throws {
        let event = BuildEvent.build("0123456789")
        let log = try log(limit: Int64(event.wireBytes.count))
        try log.append([event])
        #expect(kind { try log.append([event, .complete(nil)]) } == .resourceLimit)
        #expect(log.outcome == nil)
        let failure = BuildFailure(.resourceLimit, String(repeating: "long ", count: 100))
        try log.append([.complete(failure)])
        #expect(try bytes(of: path) == wireBytes([event, .complete(failure)]))
    }

    @Test func completeFitsWhereTheLimitWasLowered() throws {
        try log().append([.build("0123456789")])
        let reopened = try log(limit: 1)
        #expect(kind { try reopened.append([.build("a")]) } == .resourceLimit)
        try reopened.append([.complete(nil)])
        #expect(reopened.outcome == .some(nil))
    }

    @Test func aLogInAFolderThatIsNotThereIsRefused() async {
        #expect(await code { _ = try EventLog(path: folder.file("none/events.sse"), limit: 1) } == .inputOutput)
    }
}

/// How an append failed; `nil` where it did not.
func kind(_ body: () throws -> Void) -> BuildFailure.Kind? {
    do {
        try body()
        return nil
    } catch {
        return (error as? BuildFailure)?.kind
    }
}
