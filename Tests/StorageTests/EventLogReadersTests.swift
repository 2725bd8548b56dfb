// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import NIOCore
import Storage
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct EventLogReadersTests {
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

    @Test func everyListenerIsToldOfEachChangeUntilItIsIgnored() throws {
        let told = Mutex([0, 0, 0])
        let listeners = (0..<3).map { number in log.listen { told.withLock { $0[number] += 1 } } }
        try log.append([.build("a"), .build("b")])
        #expect(told.withLock { $0 } == [1, 1, 1])
        log.ignore(listeners[1])
        try log.append([.build("c")])
        #expect(told.withLock { $0 } == [2, 1, 2])
        try log.append([.complete(nil)])
        #expect(told.withLock { $0 } == [3, 1, 3])
        #expect(throws: BuildFailure.self) { try log.append([.build("d")]) }
        #expect(told.withLock { $0 } == [3, 1, 3])
    }

    @Test func aListenerSeesWhatItIsToldOf() throws {
        let log = log
        let seen = Mutex<[Int]>([])
        let listener = log.listen { seen.withLock { $0.append(log.state.count) } }
        for line in 0..<5 { try log.append([.build("\(line)")]) }
        log.ignore(listener)
        #expect(seen.withLock { $0 } == [1, 2, 3, 4, 5])
    }

    @Test func theFileCanBeReadThroughAnotherDescriptor() throws {
        try log.append([.build("a"), .complete(nil)])
        let descriptor = try log.duplicateDescriptor()
        defer { close(descriptor) }
        #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
        var bytes = [UInt8](repeating: 0, count: 1000)
        #expect(pread(descriptor, &bytes, bytes.count, 0) == log.state.length)
    }
}

/// Reads a log to its end in pieces of random sizes.
private func follow(_ log: EventLog, seed: UInt64) async throws -> [UInt8] {
    var numbers = Numbers(state: seed)
    let largest = [100, 2_000, 10_000, 300_000][Int(seed % 4)]
    var result: [UInt8] = []
    let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let listener = log.listen { continuation.yield() }
    defer { log.ignore(listener) }
    var change = changes.makeAsyncIterator()
    while true {
        let state = log.state
        let piece = try log.read(from: result.count, limit: Int.random(in: 1...largest, using: &numbers))
        result += piece.readableBytesView
        guard piece.readableBytes == 0 else { continue }
        if state.isComplete, state.length == result.count { return result }
        await change.next()
    }
}
