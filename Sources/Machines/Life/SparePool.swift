// SPDX-License-Identifier: Apache-2.0
package import Logging

/// A machine as the pool needs it.
package protocol PooledMachine: Sendable {
    /// The machine's own name in logs.
    var name: String { get }
    /// Returns when the machine is gone.
    func ended() async -> MachineError
    /// Ends it, and returns when nothing of it is left.
    func end() async
}

/// Keeps spare machines ready. At most one is booting for the pool's own sake at a time, and none while somebody waits
/// for a machine of his own to boot: spares take nothing from builds that wait.
package actor SparePool<Machine: PooledMachine> {
    package typealias Boot =
        @Sendable (_ report: @escaping @Sendable (String) -> Void) async throws(MachineError) -> Machine

    private let logger: Logger
    private let start: Boot
    private let observe: @Sendable (MachinePoolNews) -> Void
    private let pause: @Sendable (Duration) async -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private var plan: SparePlan
    private var ready: [Machine] = [] {
        didSet { observe(.spare(ready.count)) }
    }
    /// All that are booted and not gone, by name.
    private var all: [String: Machine] = [:]
    private var refilling: Task<Void, Never>?
    /// Who waits for the spare that is booting.
    private var waiting: CheckedContinuation<Machine?, Never>?
    private var isShutDown = false

    package init(
        spare: Int, logger: Logger,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        observe: @escaping @Sendable (MachinePoolNews) -> Void = { _ in }, boot: @escaping Boot
    ) {
        plan = SparePlan(spare: spare)
        self.logger = logger
        self.pause = pause
        self.now = now
        self.observe = observe
        start = boot
    }

    package func take(report: @escaping @Sendable (String) -> Void) async throws(MachineError) -> Machine {
        guard !isShutDown else { throw Self.shutDownError }
        if !ready.isEmpty {
            let machine = ready.removeFirst()
            plan.spareTaken()
            refill()
            report("a machine that was ready was taken")
            return machine
        }
        if plan.isBooting, waiting == nil {
            report("waiting for a machine that is booting already")
            if let machine = await booting() { return machine }
        }
        return try await bootOwn(report)
    }

    package func shutDown() async {
        isShutDown = true
        refilling?.cancel()
        handOver(nil)
        await withTaskGroup { group in
            for machine in all.values { group.addTask { await machine.end() } }
        }
        await refilling?.value
        ready = []
    }

    /// Boots a spare, where one is missing and nothing speaks against it.
    package func refill() {
        guard !isShutDown, refilling == nil, let delay = plan.nextBoot(ready: ready.count) else { return }
        refilling = Task {
            if delay > .zero { await pause(delay) }
            if !Task.isCancelled { await bootSpare() }
            refilling = nil
            refill()
        }
    }

    /// Returns when no spare is booting, or about to.
    package func refilled() async {
        while let task = refilling { await task.value }
    }

    /// The machines that are ready and unused.
    package var spares: [Machine] { ready }

    /// Every boot, counted.
    private func boot(_ report: @escaping @Sendable (String) -> Void) async throws(MachineError) -> Machine {
        let began = now()
        do throws(MachineError) {
            let machine = try await start(report)
            observe(.booted(now() - began))
            return machine
        } catch {
            if error.code != .cancelled { observe(.failed) }
            throw error
        }
    }

    private func bootSpare() async {
        // Somebody began to boot one of his own during the pause.
        guard plan.beginBoot() else { return }
        do throws(MachineError) {
            let machine = try await boot { _ in }
            plan.bootEnded(failed: false)
            guard !isShutDown else { return await machine.end() }
            keep(machine)
            logger.info("A spare machine is ready", metadata: ["machine.name": "\(machine.name)"])
            if waiting != nil {
                plan.spareTaken()
                handOver(machine)
            } else {
                ready.append(machine)
            }
        } catch {
            plan.bootEnded(failed: true)
            handOver(nil)
            guard !isShutDown else { return }
            logger.warning(
                "A spare machine did not boot; another is tried after a pause",
                metadata: ["machine.error": "\(error.message)", "machine.pause": "\(plan.pause)"])
        }
    }

    private func bootOwn(_ report: @escaping @Sendable (String) -> Void) async throws(MachineError) -> Machine {
        guard !Task.isCancelled else { throw MachineError(.cancelled, "the machine is not wanted any longer") }
        // Whoever waited for a spare comes here when the end begins.
        guard !isShutDown else { throw Self.shutDownError }
        plan.ownBoots += 1
        defer {
            plan.ownBoots -= 1
            refill()
        }
        let machine = try await boot(report)
        guard !isShutDown else {
            await machine.end()
            throw Self.shutDownError
        }
        keep(machine)
        return machine
    }

    /// The spare that is booting, once it is ready; `nil` where it fails, or the task is cancelled.
    private func booting() async -> Machine? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting = $0 }
        } onCancel: {
            Task { await self.handOver(nil) }
        }
    }

    private func handOver(_ machine: Machine?) {
        waiting?.resume(returning: machine)
        waiting = nil
    }

    /// Knows the machine until it is gone.
    private func keep(_ machine: Machine) {
        all[machine.name] = machine
        let booted = now()
        Task {
            let reason = await machine.ended()
            all[machine.name] = nil
            guard let index = ready.firstIndex(where: { $0.name == machine.name }) else { return }
            ready.remove(at: index)
            guard !isShutDown else { return }
            plan.spareDied(after: now() - booted)
            logger.warning(
                "A spare machine ended before it was used; another is booted",
                metadata: ["machine.error": "\(reason.message)", "machine.pause": "\(plan.pause)"])
            refill()
        }
    }

    private static var shutDownError: MachineError {
        MachineError(.cancelled, "the service is shutting down: no machine is started any more")
    }
}
