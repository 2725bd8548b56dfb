// SPDX-License-Identifier: Apache-2.0
import Builds
import NIOCore
import Storage
import Testing

@Suite(.timeLimit(.minutes(2))) struct EventLogReadersTests {
    private let folder: TemporaryFolder
    private let log: EventLog

    init() throws {
        folder = try TemporaryFolder()
        log = try EventLog(path: folder.file("events.sse"), limit: 64 << 20)
    }

    @Test func allReadersGetTheSameBytesLateOnesToo() async throws {
        let log = log
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for seed in 0..<24 as Range<UInt64> { group.addTask { try await follow(log, seed: seed) } }
            var numbers = Numbers(state: 99)
            for batch in 0..<400 {
                try log.append(Self.batch(&numbers))
                // Some readers begin in the middle of things.
                if batch % 50 == 49 { group.addTask { try await follow(log, seed: UInt64(batch)) } }
                if batch % 10 == 0 { await Task.yield() }
            }
            try log.append([.complete(nil)])
            for seed in 1_000..<1_008 as Range<UInt64> { group.addTask { try await follow(log, seed: seed) } }

            let expected = try bytes(of: folder.file("events.sse"))
            #expect(expected.count > 1 << 20)
            var readers = 0
            for try await result in group {
                #expect(result == expected)
                readers += 1
            }
            #expect(readers == 40)
        }
    }

    private static func batch(_ numbers: inout Numbers) -> [BuildEvent] {
        (0..<Int.random(in: 1...20, using: &numbers)).map { _ in
            .build(String(repeating: "é", count: Int.random(in: 0...400, using: &numbers)))
        }
    }

    @Test func oneWhoWaitsIsToldOfTheNextEvent() async throws {
        let log = log
        let waiting = (0..<10).map { _ in Task { await log.changes(after: 0) } }
        await Task.yield()
        try log.append([.build("a")])
        for task in waiting { #expect(await task.value == log.state) }
    }

    @Test func oneWhoIsBehindDoesNotWait() async throws {
        try log.append([.build("a")])
        #expect(await log.changes(after: 0) == log.state)
        #expect(await log.changes(after: log.state.length - 1) == log.state)
    }

    @Test func nobodyWaitsForACompleteLog() async throws {
        try log.append([.complete(nil)])
        #expect(await log.changes(after: log.state.length).isComplete)
        #expect(await log.changes(after: .max).isComplete)
    }

    @Test func aCancelledReaderStopsWaitingAndTheOthersGoOn() async throws {
        let log = log
        let cancelled = (0..<20).map { _ in Task { await log.changes(after: 0) } }
        let patient = (0..<20).map { _ in Task { await log.changes(after: 0) } }
        await Task.yield()
        for task in cancelled { task.cancel() }
        for task in cancelled { #expect(await task.value.length == 0) }
        try log.append([.build("a")])
        for task in patient { #expect(await task.value.length == log.state.length) }
    }

    @Test func aReaderThatWasCancelledBeforeDoesNotWait() async {
        let log = log
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await log.changes(after: 0)
        }
        #expect(await task.value.length == 0)
    }
}

/// Reads a log to its end in pieces of random sizes.
private func follow(_ log: EventLog, seed: UInt64) async throws -> [UInt8] {
    var numbers = Numbers(state: seed)
    let largest = [100, 2_000, 10_000, 300_000][Int(seed % 4)]
    var result: [UInt8] = []
    while true {
        let state = log.state
        let piece = try log.read(from: result.count, limit: Int.random(in: 1...largest, using: &numbers))
        result += piece.readableBytesView
        guard piece.readableBytes == 0 else { continue }
        if state.isComplete, state.length == result.count { return result }
        _ = await log.changes(after: result.count)
    }
}
