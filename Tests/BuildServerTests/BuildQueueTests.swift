// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Testing

@Suite struct BuildQueueTests {
    private let jobs = (0..<6).map { JobID(high: 7, low: $0) }

    /// A queue with `count` jobs entered.
    private func queue(slots: Int, capacity: Int = 10, entered count: Int = 0) throws -> BuildQueue {
        var queue = BuildQueue(slots: slots, capacity: capacity)
        for job in jobs.prefix(count) {
            let position = try queue.reserve()
            _ = queue.enter(job, announced: position)
        }
        return queue
    }

    @Test func aFreeSlotStartsTheJobAtOnce() throws {
        var queue = try queue(slots: 2)
        #expect(try queue.reserve() == 0)
        #expect(queue.enter(jobs[0], announced: 0) == [.start(jobs[0], slot: 0)])
        #expect(try queue.reserve() == 0)
        #expect(queue.enter(jobs[1], announced: 0) == [.start(jobs[1], slot: 1)])
    }

    @Test func jobsWaitInOrderAndMoveUp() throws {
        var queue = try queue(slots: 1, entered: 4)
        #expect(queue.position(of: jobs[0]) == nil)
        #expect(queue.position(of: jobs[3]) == 2)
        #expect(
            queue.finish(slot: 0) == [
                .start(jobs[1], slot: 0), .announce(jobs[2], position: 0), .announce(jobs[3], position: 1),
            ])
    }

    @Test func aJobThatLeavesTheLineIsPassedOver() throws {
        var queue = try queue(slots: 1, entered: 4)
        #expect(queue.remove(jobs[2]) == [.announce(jobs[3], position: 1)])
        #expect(queue.remove(jobs[2]) == [] && queue.remove(jobs[0]) == [])
        #expect(queue.finish(slot: 0) == [.start(jobs[1], slot: 0), .announce(jobs[3], position: 0)])
    }

    @Test func jobsThatAreReceivedAtOneTimeGetPlacesOneAfterAnother() throws {
        var queue = try queue(slots: 1, entered: 1)
        let first = try queue.reserve()
        let second = try queue.reserve()
        #expect(first == 0 && second == 1)
        #expect(queue.enter(jobs[1], announced: first) == [])
        #expect(queue.enter(jobs[2], announced: second) == [])
    }

    @Test func aJobThatEntersElsewhereThanItWasToldIsToldAgain() throws {
        var queue = try queue(slots: 1, entered: 1)
        let first = try queue.reserve()
        let second = try queue.reserve()
        #expect(queue.enter(jobs[1], announced: second) == [.announce(jobs[1], position: 0)])
        #expect(queue.enter(jobs[2], announced: first) == [.announce(jobs[2], position: 1)])
    }

    @Test func aJobThatLeavesTheLineMovesThoseBehind() throws {
        var queue = try queue(slots: 1, entered: 4)
        #expect(queue.remove(jobs[1]) == [.announce(jobs[2], position: 0), .announce(jobs[3], position: 1)])
        #expect(queue.remove(jobs[1]) == [] && queue.remove(jobs[0]) == [])
        #expect(queue.remove(jobs[3]) == [])
        #expect(queue.finish(slot: 0) == [.start(jobs[2], slot: 0)])
    }

    /// A line of any length: what each is told on its way to the front.
    @Test func aLongLineIsToldItsPlacesNowAndThen() throws {
        let length = 100_000
        var queue = BuildQueue(slots: 1, capacity: length + 1)
        var told: [JobID: [Int]] = [:]
        for number in 0...length {
            let job = JobID(high: 9, low: UInt64(number))
            let position = try queue.reserve()
            told[job] = [position]
            _ = queue.enter(job, announced: position)
        }
        var most = 0
        for _ in 0..<length {
            let effects = queue.finish(slot: 0)
            most = max(most, effects.count)
            for case .announce(let job, let position) in effects { told[job]?.append(position) }
        }
        let last = try #require(told[JobID(high: 9, low: UInt64(length))])
        #expect(most <= 80, "the end of one build makes \(most) events")
        #expect(last.first == length - 1 && last.count <= 60)
        #expect(last.suffix(16) == (0..<16).reversed()[...])
        for (before, after) in zip(last, last.dropFirst()) { #expect(after < before && after >= before / 2) }
    }

    @Test func theQueueIsFullWhereAllPlacesAreTakenOrReserved() throws {
        var queue = try queue(slots: 1, capacity: 1)
        _ = try queue.reserve()
        _ = try queue.reserve()
        #expect(throws: BuildQueue.Refusal.full(waiting: 0)) { try queue.reserve() }
        queue.release()
        _ = try queue.reserve()
        _ = queue.enter(jobs[0], announced: 0)
        _ = queue.enter(jobs[1], announced: 0)
        #expect(throws: BuildQueue.Refusal.full(waiting: 1)) { try queue.reserve() }
        _ = queue.finish(slot: 0)
        #expect(throws: Never.self) { try queue.reserve() }
    }

    @Test func aDrainingQueueStartsNothingAndTakesNothing() throws {
        var queue = try queue(slots: 1, entered: 2)
        queue.drain()
        #expect(throws: BuildQueue.Refusal.draining) { try queue.reserve() }
        #expect(queue.finish(slot: 0) == [])
        #expect(queue.isIdle)
        #expect(queue.position(of: jobs[1]) == 0)
    }

    @Test func jobsOfAnEarlierRunComeFirstWhateverTheCapacity() throws {
        var queue = BuildQueue(slots: 1, capacity: 0)
        let effects = queue.restore(jobs.prefix(3).map { (id: $0, announced: nil) })
        #expect(
            effects == [
                .announce(jobs[0], position: 0), .start(jobs[0], slot: 0), .announce(jobs[1], position: 0),
                .announce(jobs[2], position: 1),
            ])
    }

    @Test func aRestoredJobWhosePositionStandsIsNotAnnounced() {
        var queue = BuildQueue(slots: 1, capacity: 0)
        #expect(queue.restore([(id: jobs[0], announced: 0)]) == [.start(jobs[0], slot: 0)])
    }

    /// Near the front the place that was told last is the one that holds; behind it is never nearer than told.
    @Test func positionsAnnouncedHold() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            var queue = BuildQueue(slots: Int.random(in: 1...3, using: &random), capacity: 200)
            var last: [JobID: Int] = [:]
            var busy: [Int] = []
            for number in 0..<150 {
                var effects: [BuildQueue.Effect]
                switch Int.random(in: 0..<8, using: &random) {
                case 0 where !busy.isEmpty:
                    effects = queue.finish(slot: busy.remove(at: Int.random(in: 0..<busy.count, using: &random)))
                case 1: effects = last.keys.randomElement().map { queue.remove($0) } ?? []
                default:
                    let job = JobID(high: 1, low: UInt64(number))
                    last[job] = try queue.reserve()
                    effects = queue.enter(job, announced: last[job])
                }
                for effect in effects {
                    switch effect {
                    case .announce(let job, let position):
                        #expect(last[job] != position)
                        last[job] = position
                    case .start(_, let slot): busy.append(slot)
                    }
                }
                for (job, told) in last {
                    guard let held = queue.position(of: job) else { continue }
                    #expect(held < 16 ? told == held : told >= held && told <= held * 4 / 3 + 1)
                }
            }
        }
    }
}
