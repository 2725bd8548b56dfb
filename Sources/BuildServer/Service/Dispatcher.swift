// SPDX-License-Identifier: Apache-2.0
import Builds
import Logging
import ServiceLifecycle
import Storage

/// Carries out what the ``BuildQueue`` decides: announces places, starts builds, settles their ends. One actor, so that
/// a job's events come from one place at a time: from here while it waits, from its build while it runs.
actor Dispatcher {
    let store: any BuildStore
    let data: DataFolder
    let logs: EventLogs
    let runner: BuildRunner
    let logger: Logger
    private let clients: ClientLimits
    private let oneBuild: OneBuild?
    let metrics: Metrics
    private var queue: BuildQueue
    /// When each job that waits entered the line.
    private var waiting: [JobID: ContinuousClock.Instant] = [:]
    private(set) var builds: [Int: Task<Void, Never>] = [:]
    /// Where each job that builds does.
    private(set) var slots: [JobID: Int] = [:]
    /// The ends that requesters wish for jobs that build.
    var cancelled: [JobID: BuildFailure] = [:]
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []
    /// Set when the grace period is over: builds that end as cancelled are put back in line.
    private(set) var isOutOfTime = false

    init(
        configuration: Configuration, data: DataFolder, store: any BuildStore, logs: EventLogs, logger: Logger,
        clients: ClientLimits, metrics: Metrics, oneBuild: OneBuild? = nil,
        runner: @escaping BuildRunner
    ) {
        self.store = store
        self.logs = logs
        self.data = data
        self.runner = runner
        self.logger = logger
        self.clients = clients
        self.oneBuild = oneBuild
        self.metrics = metrics
        queue = BuildQueue(slots: configuration.concurrency, capacity: configuration.queueLength)
    }

    /// Keeps a place for a job that is being received. Returns the position that it would have.
    func reserve() throws(Refusal) -> Int {
        do {
            return try queue.reserve()
        } catch {
            throw Refusal(error)
        }
    }

    /// The place that a job would have that is entered now.
    var expectedPosition: Int { queue.expectedPosition }

    /// Gives a reserved place back.
    func release() { queue.release() }

    /// Takes a job that is durable and whose requester was told `announced`.
    func enter(_ id: JobID, announced: Int) {
        waiting[id] = .now
        perform(queue.enter(id, announced: announced))
    }

    /// Takes the jobs of an earlier run, in order.
    func restore(_ jobs: [RecoveredJob]) {
        for recovered in jobs { waiting[recovered.job.id] = .now }
        perform(queue.restore(jobs.map { (id: $0.job.id, announced: $0.toldPosition) }))
    }

    /// Jobs that wait, and builds that run.
    var load: (waiting: Int, running: Int) { (waiting.count, builds.count) }

    /// `nil` where the job does not wait.
    func position(of job: JobID) -> Int? { queue.position(of: job) }

    var isDraining: Bool { queue.isDraining }

    /// Gives up the place of a job that has ended while it waited.
    func leaveLine(_ id: JobID) {
        waiting[id] = nil
        ended(id)
        perform(queue.remove(id))
    }

    private func ended(_ id: JobID) {
        clients.ended(id)
        oneBuild?.finish()
    }

    /// Starts nothing more, and returns when no build runs. Builds that run for longer than `grace` are cancelled and
    /// put back in line for the next run of the service.
    func drain(grace: Duration) async {
        queue.drain()
        let timer = Task {
            try await Task.sleep(for: grace)
            runOutOfTime()
        }
        defer { timer.cancel() }
        guard !queue.isIdle else { return }
        await withCheckedContinuation { idleWaiters.append($0) }
    }

    private func runOutOfTime() {
        isOutOfTime = true
        for build in builds.values { build.cancel() }
    }

    private func perform(_ effects: [BuildQueue.Effect]) {
        for effect in effects {
            switch effect {
            case .announce(let id, let position): announce(position, to: id)
            case .start(let id, let slot): start(id, slot: slot)
            }
        }
    }

    /// A place that cannot be announced, on a full disk, is no reason to end the build.
    private func announce(_ position: Int, to id: JobID) {
        do {
            try logs.openLog(id).append([.queued(position: position)])
        } catch {
            logger.warning("The position was not announced", metadata: ["build.id": "\(id)", "error": "\(error)"])
        }
    }

    private func start(_ id: JobID, slot: Int) {
        if let since = waiting.removeValue(forKey: id) { metrics.queueWaits.observe(.now - since) }
        slots[id] = slot
        builds[slot] = Task {
            await build(id, slot: slot)
            (builds[slot], slots[id], cancelled[id]) = (nil, nil, nil)
            ended(id)
            perform(queue.finish(slot: slot))
            guard queue.isIdle else { return }
            for waiter in idleWaiters { waiter.resume() }
            idleWaiters = []
        }
    }
}
