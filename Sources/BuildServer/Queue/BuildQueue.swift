// SPDX-License-Identifier: Apache-2.0
package import Builds

/// Who builds, who waits, and in which order: pure, each call returns what is to be done.
///
/// A job gets a place with ``reserve()``, enters with ``enter(_:announced:)`` after it is durable, starts in a slot as
/// soon as one is free, and leaves with ``finish(slot:)``. Positions count from 0, the job that starts next.
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

    private struct Waiting: Sendable {
        let job: JobID
        /// The position that the requester was told last; `nil` before the first.
        var announced: Int?
    }

    private let capacity: Int
    private var slots: [JobID?]
    private var waiting: [Waiting] = []
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
    package func position(of job: JobID) -> Int? { waiting.firstIndex { $0.job == job } }

    /// Keeps a place for a job that is being received, so that nobody uploads in vain; ``enter(_:announced:)`` or
    /// ``release()`` gives it back. Returns the position that the job would have now.
    package mutating func reserve() throws(Refusal) -> Int {
        guard !isDraining else { throw .draining }
        let free = slots.count { $0 == nil }
        guard waiting.count + reserved < capacity + free else { throw .full(waiting: waiting.count) }
        reserved += 1
        return waiting.count
    }

    /// Gives a reserved place back.
    package mutating func release() { reserved -= 1 }

    /// Takes a durable job, whose requester was told the position `announced`, into its reserved place. While draining
    /// it does not start: the next run of the service builds it.
    package mutating func enter(_ job: JobID, announced: Int?) -> [Effect] {
        reserved -= 1
        waiting.append(Waiting(job: job, announced: announced))
        return advance()
    }

    /// Takes the jobs of an earlier run of the service, in order, whatever the capacity is now.
    package mutating func restore(_ jobs: [(id: JobID, announced: Int?)]) -> [Effect] {
        waiting.append(contentsOf: jobs.map { Waiting(job: $0.id, announced: $0.announced) })
        return advance()
    }

    /// Takes a job out of the line; nothing is done where it does not wait.
    package mutating func remove(_ job: JobID) -> [Effect] {
        guard let position = position(of: job) else { return [] }
        waiting.remove(at: position)
        return advance()
    }

    /// The job in `slot` has ended, for good or (while draining) for this run.
    package mutating func finish(slot: Int) -> [Effect] {
        slots[slot] = nil
        return advance()
    }

    /// No job starts or is taken from now on.
    package mutating func drain() { isDraining = true }

    /// Starts what can start, and announces the places that have changed.
    private mutating func advance() -> [Effect] {
        var effects: [Effect] = []
        while !isDraining, !waiting.isEmpty, let slot = slots.firstIndex(of: nil) {
            let next = waiting.removeFirst()
            slots[slot] = next.job
            if next.announced == nil { effects.append(.announce(next.job, position: 0)) }
            effects.append(.start(next.job, slot: slot))
        }
        for (position, place) in waiting.enumerated() where place.announced != position {
            waiting[position].announced = position
            effects.append(.announce(place.job, position: position))
        }
        return effects
    }
}
