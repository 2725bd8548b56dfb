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

    @Test func aPositionIsAnnouncedAgainOnlyWhereItChanged() throws {
        var queue = try queue(slots: 1, entered: 1)
        let first = try queue.reserve()
        let second = try queue.reserve()
        #expect(first == 0 && second == 0)
        #expect(queue.enter(jobs[1], announced: first) == [])
        #expect(queue.enter(jobs[2], announced: second) == [.announce(jobs[2], position: 1)])
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

    @Test func positionsAnnouncedAreAlwaysThoseThatHold() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var queue = BuildQueue(slots: Int.random(in: 1...3, using: &random), capacity: 100)
            var last: [JobID: Int] = [:]
            var busy: [Int] = []
            for number in 0..<40 {
                var effects: [BuildQueue.Effect]
                if busy.isEmpty || Bool.random(using: &random) {
                    let job = JobID(high: 1, low: UInt64(number))
                    last[job] = try queue.reserve()
                    effects = queue.enter(job, announced: last[job])
                } else {
                    effects = queue.finish(slot: busy.remove(at: Int.random(in: 0..<busy.count, using: &random)))
                }
                for effect in effects {
                    switch effect {
                    case .announce(let job, let position):
                        #expect(last[job] != position)
                        last[job] = position
                    case .start(_, let slot): busy.append(slot)
                    }
                }
                for (job, position) in last {
                    if let held = queue.position(of: job) { #expect(held == position) }
                }
            }
        }
    }
}
