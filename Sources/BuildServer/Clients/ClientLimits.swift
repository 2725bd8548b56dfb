// SPDX-License-Identifier: Apache-2.0
package import Builds
import Synchronization

/// What each client has at this moment: unfinished jobs, open streams and downloads, submissions of the last minute; and
/// who gets no more. A `nil` client is this machine itself, which has no limits.
///
/// It remembers what is open, which the queue and the connections bound, and the ``SubmissionRate``, which bounds itself.
/// All of it is forgotten at a restart.
package final class ClientLimits: Sendable {
    private struct Open {
        var jobs = 0
        var readers = 0
    }

    private struct State {
        var open: [Client: Open] = [:]
        var owners: [JobID: Client] = [:]
        var rate = SubmissionRate()
    }

    private let settings: ClientSettings
    private let state = Mutex(State())

    package init(_ settings: ClientSettings) { self.settings = settings }

    /// Clients that something is remembered of.
    package var count: Int { state.withLock { $0.open.count + $0.rate.count } }

    /// Takes a place for a job that is about to be received; it is given back with the value, unless a job has taken it.
    package func submit(_ client: Client?, now: ContinuousClock.Instant = .now) throws(Refusal) -> JobPlace {
        guard let client else { return JobPlace(client: nil, limits: self) }
        let refusal: Refusal? = state.withLock { state in
            if let refusal = count(client, &state, now) { return refusal }
            guard state.open[client, default: Open()].jobs < settings.jobs else {
                return .tooManyJobs(limit: settings.jobs)
            }
            state.open[client, default: Open()].jobs += 1
            return nil
        }
        if let refusal { throw refusal }
        return JobPlace(client: client, limits: self)
    }

    /// Counts a submission whose idempotency key has a job already: towards the rate only, as it makes no job.
    package func again(_ client: Client?, now: ContinuousClock.Instant = .now) throws(Refusal) {
        guard let client else { return }
        if let refusal = state.withLock({ count(client, &$0, now) }) { throw refusal }
    }

    private func count(_ client: Client, _ state: inout State, _ now: ContinuousClock.Instant) -> Refusal? {
        state.rate.add(client, limit: settings.submissions, now: now)
            .map { .tooManySubmissions(limit: settings.submissions, seconds: $0) }
    }

    /// Takes a seat for a stream or a download; it is given back with the value.
    package func read(_ client: Client?) throws(Refusal) -> ReaderSeat {
        guard let client else { return ReaderSeat(client: nil, limits: self) }
        let isFree = state.withLock { state in
            guard state.open[client, default: Open()].readers < settings.readers else { return false }
            state.open[client, default: Open()].readers += 1
            return true
        }
        guard isFree else { throw .tooManyReaders(limit: settings.readers) }
        return ReaderSeat(client: client, limits: self)
    }

    /// A job has ended.
    package func ended(_ job: JobID) {
        state.withLock { state in
            if let client = state.owners.removeValue(forKey: job) { Self.change(client, &state) { $0.jobs -= 1 } }
        }
    }

    fileprivate func keep(_ client: Client, for job: JobID) { state.withLock { $0.owners[job] = client } }

    fileprivate func giveBack(placeOf client: Client) {
        state.withLock { Self.change(client, &$0) { $0.jobs -= 1 } }
    }

    fileprivate func giveBack(seatOf client: Client) {
        state.withLock { Self.change(client, &$0) { $0.readers -= 1 } }
    }

    private static func change(_ client: Client, _ state: inout State, _ edit: (inout Open) -> Void) {
        guard var open = state.open[client] else { return }
        edit(&open)
        state.open[client] = open.jobs > 0 || open.readers > 0 ? open : nil
    }
}

/// One of a client's unfinished jobs.
package final class JobPlace: Sendable {
    private let client: Client?
    private let limits: ClientLimits
    private let isTaken = Mutex(false)

    fileprivate init(client: Client?, limits: ClientLimits) {
        self.client = client
        self.limits = limits
    }

    /// From now on the place is `job`'s, until that has ended.
    package func take(for job: JobID) {
        guard let client else { return }
        isTaken.withLock { $0 = true }
        limits.keep(client, for: job)
    }

    deinit {
        if let client, !isTaken.withLock({ $0 }) { limits.giveBack(placeOf: client) }
    }
}

/// One of a client's open streams and downloads.
package final class ReaderSeat: Sendable {
    private let client: Client?
    private let limits: ClientLimits

    fileprivate init(client: Client?, limits: ClientLimits) {
        self.client = client
        self.limits = limits
    }

    deinit {
        if let client { limits.giveBack(seatOf: client) }
    }
}
