// SPDX-License-Identifier: Apache-2.0
package import Builds

/// Who builds, who waits, and in which order: pure, each call returns what is to be done.
///
/// A job gets a place with ``reserve()``, enters with ``enter(_:announced:)`` after it is durable, starts in a slot as
/// soon as one is free, and leaves with ``finish(slot:)``. Positions count from 0, the job that starts next.
///
/// A job is told its place when it is accepted, and again as it moves: each of the first 16 places exactly, those behind
/// them when it has come nearer by about a quarter. So a long line costs its log some 60 events, not one for each build
/// that ends, and the end of a build costs the same however many wait.
package struct BuildQueue: Sendable {
    /// What the caller has to do, in the order given.
    package enum Effect: Hashable, Sendable {
        /// The job's place in line has changed.
        case announce(JobID, position: Int)
        case start(JobID, slot: Int)
    }

    /// Why a job is not taken.
    package enum Refusal: Error, Hashable, Sendable {
        case draining
        /// As many jobs wait as may.
        case full(waiting: Int)
    }

    private let capacity: Int
    private var slots: [JobID?]
    private var line = WaitingLine()
    private var reserved = 0
    package private(set) var isDraining = false

    /// `slots` builds at one time; `capacity` jobs may wait.
    package init(slots: Int, capacity: Int) {
        self.slots = Array(repeating: nil, count: slots)
        self.capacity = capacity
    }

    /// Whether nothing builds.
    package var isIdle: Bool { slots.allSatisfy { $0 == nil } }

    /// `nil` where the job does not wait.
    package func position(of job: JobID) -> Int? { line.position(of: job) }

    /// Keeps a place for a job that is being received, so that nobody uploads in vain; ``enter(_:announced:)`` or
    /// ``release()`` gives it back. Returns the position that the job has where those that are received now all enter
    /// before it.
    package mutating func reserve() throws(Refusal) -> Int {
        guard !isDraining else { throw .draining }
        guard line.count + reserved < capacity + free else { throw .full(waiting: line.count) }
        reserved += 1
        return expectedPosition
    }

    /// The position of a job with a reserved place, where all others that have one enter before it.
    package var expectedPosition: Int { max(0, line.count + reserved - 1 - free) }

    private var free: Int { slots.count { $0 == nil } }

    /// Gives a reserved place back.
    package mutating func release() { reserved -= 1 }

    /// Takes a durable job, whose requester was told the position `announced`, into its reserved place. While draining
    /// it does not start: the next run of the service builds it.
    package mutating func enter(_ job: JobID, announced: Int?) -> [Effect] {
        reserved -= 1
        line.append(job, told: announced)
        let effects = advance()
        return line.isEmpty ? effects : effects + tell(line.count - 1)
    }

    /// Takes the jobs of an earlier run of the service, in order, whatever the capacity is now.
    package mutating func restore(_ jobs: [(id: JobID, announced: Int?)]) -> [Effect] {
        for job in jobs { line.append(job.id, told: job.announced) }
        let effects = advance()
        return effects + (0..<line.count).flatMap { tell($0) }
    }

    /// Takes a job out of the line; nothing is done where it does not wait.
    package mutating func remove(_ job: JobID) -> [Effect] {
        guard let place = line.remove(job) else { return [] }
        return news(after: 1, from: place)
    }

    /// The job in `slot` has ended, for good or (while draining) for this run.
    package mutating func finish(slot: Int) -> [Effect] {
        slots[slot] = nil
        return advance()
    }

    /// No job starts or is taken from now on.
    package mutating func drain() { isDraining = true }

    /// Starts what can start, and tells those behind.
    private mutating func advance() -> [Effect] {
        var effects: [Effect] = []
        var started = 0
        while !isDraining, let slot = slots.firstIndex(of: nil), let next = line.popFirst() {
            slots[slot] = next.job
            if next.told == nil { effects.append(.announce(next.job, position: 0)) }
            effects.append(.start(next.job, slot: slot))
            started += 1
        }
        return effects + news(after: started, from: 0)
    }

    private mutating func news(after count: Int, from place: Int) -> [Effect] {
        line.news(after: count, from: place).map { .announce($0.job, position: $0.place) }
    }

    private mutating func tell(_ place: Int) -> [Effect] {
        line.tell(place).map { [.announce($0, position: place)] } ?? []
    }
}
