// SPDX-License-Identifier: Apache-2.0
import Builds
public import Logging
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a service counts about itself. Counting costs a few instructions and never waits where it happens often; what
/// is known elsewhere, such as the length of the queue, is asked for when somebody reads.
public final class Metrics: Sendable {
    /// Why a finished job was removed.
    enum Removal: String, CaseIterable, Sendable { case age, size }

    /// Seconds since 1970.
    let startTime: Double

    let acceptedJobs = Counter()
    /// Goes up and down; set at the start.
    let keptJobs = Counter()
    let removedJobs = LabelledCounters("reason", Removal.allCases) { $0.rawValue }
    let endedBuilds = LabelledCounters("outcome", [nil] + BuildFailure.Kind.allCases) { $0?.rawValue ?? "ok" }
    let queueWaits = Histogram()
    let buildDurations = LabelledHistograms("result", [true, false]) { $0 ? "ok" : "failed" }
    let phaseDurations = LabelledHistograms("phase", BuildPhase.allCases) { $0.rawValue }
    let buildEvents = Counter()

    /// Goes up and down.
    let streamReaders = Counter()
    let streams = Counter()
    let streamBytes = Counter()
    let uploadBytes = Counter()
    let resultBytes = Counter()

    let requests = RequestCounts()
    /// Goes up and down.
    let openConnections = Counter()
    let connections = Counter()

    /// Machines that were ready in time, or not.
    let bootedMachines = Counter()
    let failedMachines = Counter()
    /// Go up and down.
    let spareMachines = Counter()
    let busyMachines = Counter()
    let machineBoots = Histogram()
    let places = LabelledCounters("isolation", BuildPlace.allCases) { $0.rawValue }

    private let logMessages = LabelledCounters("level", Logger.Level.allCases) { $0.rawValue }

    /// Everything is 0.
    public init() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        startTime = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// A line of the log was written.
    public func logged(_ level: Logger.Level) { logMessages.add(level) }

    var logSamples: [MetricFamily.Sample] { logMessages.samples }

    /// A job was accepted, and is kept from now on.
    func accepted(_ request: BuildRequest) {
        acceptedJobs.add()
        keptJobs.add()
        if case .archive(let archive) = request.source { uploadBytes.add(Int(archive.size)) }
    }

    /// A finished job was removed.
    func removed(_ reason: Removal) {
        removedJobs.add(reason)
        keptJobs.add(-1)
    }

    /// A job has ended for good: well, where `failure` is `nil`.
    func ended(_ failure: BuildFailure?) { endedBuilds.add(failure?.kind) }

    /// Builds run there: said once, at the start.
    public func chose(_ place: BuildPlace) { places.add(place) }

    /// A machine answered so long after its start.
    public func machineBooted(after time: Duration) {
        bootedMachines.add()
        machineBoots.observe(time)
    }

    /// A machine that was started did not come to answer.
    public func machineFailed() { failedMachines.add() }

    /// So many machines are ready and unused.
    public func spareMachines(_ count: Int) { spareMachines.set(count) }

    /// A build has got a machine; ``machineEnded()`` follows.
    public func machineTaken() { busyMachines.add() }

    /// That machine is gone.
    public func machineEnded() { busyMachines.add(-1) }

    /// A reader of an event stream has come; ``streamEnded()`` follows.
    func streamBegan() {
        streams.add()
        streamReaders.add()
    }

    /// A reader has gone.
    func streamEnded() { streamReaders.add(-1) }
}
