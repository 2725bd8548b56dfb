// SPDX-License-Identifier: Apache-2.0
import Builds

/// Jobs that wait, by place from 0, and what each was told of its place. No call takes time in proportion to the length
/// of the line but ``remove(_:)``, which moves what is behind.
struct WaitingLine: Sendable {
    struct Place: Sendable {
        let job: JobID
        /// Grows along the line, so that a job's place is found by halves.
        fileprivate let ticket: Int
        /// The place that the requester was told last; `nil` before the first.
        fileprivate(set) var told: Int?
    }

    /// Places that are told when they are reached: the first 16, and behind them each a quarter nearer than the one
    /// before. A job is told some 60 places on its way through a line of any length.
    static let marks: [Int] = {
        var marks = Array(0..<16)
        while let last = marks.last, last < 1 << 30 { marks.append(last * 4 / 3) }
        return marks
    }()

    /// The jobs that left stand before `head` until there are many.
    private var places: [Place] = []
    private var head = 0
    private var tickets: [JobID: Int] = [:]
    private var nextTicket = 0

    var count: Int { places.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: JobID, told: Int?) {
        places.append(Place(job: job, ticket: nextTicket, told: told))
        tickets[job] = nextTicket
        nextTicket += 1
    }

    mutating func popFirst() -> Place? {
        guard head < places.count else { return nil }
        let first = places[head]
        head += 1
        tickets[first.job] = nil
        if head >= 1024, head * 2 >= places.count {
            places.removeFirst(head)
            head = 0
        }
        return first
    }

    /// Returns the place that the job had; `nil` where it does not wait.
    mutating func remove(_ job: JobID) -> Int? {
        guard let place = position(of: job) else { return nil }
        places.remove(at: head + place)
        tickets[job] = nil
        return place
    }

    /// `nil` where the job does not wait.
    func position(of job: JobID) -> Int? {
        guard let ticket = tickets[job] else { return nil }
        var low = head
        var high = places.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if places[middle].ticket <= ticket { low = middle } else { high = middle }
        }
        return low - head
    }

    /// What is to be told after `count` jobs left the line before place `first`, in the order of the places.
    mutating func news(after count: Int, from first: Int = 0) -> [(job: JobID, place: Int)] {
        guard count > 0 else { return [] }
        var news: [(job: JobID, place: Int)] = []
        var next = first
        for mark in Self.marks where mark >= first {
            // A job at a mark, or one that passed it without stopping.
            let start = max(next, mark - count + 1)
            guard start < self.count else { break }
            for place in start...max(start, mark) where place < self.count {
                if let job = tell(place) { news.append((job, place)) }
            }
            next = max(start, mark) + 1
        }
        return news
    }

    /// The job at `place`, where it has to be told so; it counts as told then.
    mutating func tell(_ place: Int) -> JobID? {
        guard Self.isDue(place, told: places[head + place].told) else { return nil }
        places[head + place].told = place
        return places[head + place].job
    }

    /// Whether a place has to be told: the first one, one further back, and one at or before a mark that has been passed
    /// since.
    private static func isDue(_ place: Int, told: Int?) -> Bool {
        guard let told else { return true }
        guard place < told else { return place > told }
        return marks.last { $0 < told }.map { $0 >= place } ?? false
    }
}
