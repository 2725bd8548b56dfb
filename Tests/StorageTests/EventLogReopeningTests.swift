// SPDX-License-Identifier: Apache-2.0
import Builds
import Storage
import Testing

@Suite struct EventLogReopeningTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("events.sse") }

    init() throws { folder = try TemporaryFolder() }

    private static let events: [BuildEvent] = [
        .queued(position: 0), .initialize("Prüfe"), .detect("cargo"), .build(""), .build("a\n\nb \u{1F980} \"c\""),
        .complete(BuildFailure(.build, "line 1\nline 2")),
    ]

    /// Where each event begins, and the end.
    private static func offsets(_ events: [BuildEvent]) -> [Int] {
        events.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.wireBytes.count) }
    }

    @Test(arguments: 0...wireBytes(events).count)
    func aTornEndIsCutAndTheRestIsAsItWas(length: Int) throws {
        let all = wireBytes(Self.events)
        try write(Array(all.prefix(length)), to: path)
        let log = try EventLog(path: path, limit: 1 << 20)

        let whole = Self.offsets(Self.events).filter { $0 <= length }
        let kept = whole.last ?? 0
        #expect((log.state.length, log.state.count) == (kept, whole.count - 1))
        #expect(log.state.isComplete == (length == all.count))
        #expect(log.outcome == (length == all.count ? .some(BuildFailure(.build, "line 1\nline 2")) : nil))
        #expect(try bytes(of: path) == Array(all.prefix(kept)))
        #expect(try log.allBytes() == Array(all.prefix(kept)))
        for (number, offset) in whole.enumerated() { #expect(try log.offset(ofEvent: number) == offset) }

        guard length < all.count else { return }
        try log.append(Array(Self.events[(whole.count - 1)...]))
        #expect(try bytes(of: path) == all)
        #expect(try EventLog(path: path, limit: 1 << 20).state == log.state)
    }

    @Test func everyEventIsFoundAcrossTheIndex() throws {
        let events = (0..<1_030).map { BuildEvent.build(String(repeating: "x", count: $0 % 61)) }
        let log = try EventLog(path: path, limit: 1 << 20)
        var rest = events[...]
        var size = 1
        while !rest.isEmpty {
            try log.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
            size = size % 100 + 7
        }
        let offsets = Self.offsets(events)
        for log in [log, try EventLog(path: path, limit: 1 << 20)] {
            #expect(log.state.count == events.count)
            #expect(try offsets.indices.allSatisfy { try log.offset(ofEvent: $0) == offsets[$0] })
            #expect(try log.offset(ofEvent: offsets.count) == nil)
            #expect(try log.offset(ofEvent: -1) == nil)
            #expect(try log.offset(ofEvent: .max) == nil)
        }
    }

    /// A log is read in blocks of 1 MiB.
    @Test(arguments: -3...3)
    func anEventThatEndsNearTheEdgeOfABlockIsFound(distance: Int) throws {
        let empty = BuildEvent.build("").wireBytes.count
        let first = BuildEvent.build(String(repeating: "a", count: (1 << 20) + distance - empty))
        let events = [first, .build("b"), .complete(nil)]
        try write(wireBytes(events), to: path)
        let log = try EventLog(path: path, limit: 4 << 20)
        #expect(log.outcome == .some(nil))
        let offsets = Self.offsets(events)
        #expect(offsets[1] == (1 << 20) + distance)
        for number in offsets.indices { #expect(try log.offset(ofEvent: number) == offsets[number]) }
        #expect(try log.allBytes() == wireBytes(events))
    }

    @Test(arguments: [
        "nonsense\n\n", "data: nonsense\n\n", "data: {}\n\n", "data: {\"type\":\"build\",\"msg\":\"a\"}\n\n\0\0\0\n\n",
        "\n\n",
    ])
    func aLastEventThatIsNoneIsRefusedAndLeftAlone(text: String) async throws {
        try write(Array(text.utf8), to: path)
        #expect(await code { _ = try EventLog(path: path, limit: 1 << 20) } == .corrupt)
        #expect(try bytes(of: path) == Array(text.utf8))
    }

    @Test func zerosThatAPowerCutLeftAtTheEndAreCut() throws {
        let event = BuildEvent.build("a").wireBytes
        try write(event + [UInt8](repeating: 0, count: 5_000), to: path)
        #expect(try EventLog(path: path, limit: 1 << 20).state.length == event.count)
        #expect(try bytes(of: path) == event)
    }
}
