// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import Logging
internal import Processes

/// The machines of a service: some are kept booted and unused, so that a build need not wait for one.
public actor MachinePool {
    private let pool: SparePool<Machine>

    /// Begins to boot `spare` machines, one after the other.
    ///
    /// - Parameters:
    ///   - spare: how many to keep ready. Each takes its memory and its place on disk all the time.
    ///   - observe: is told what becomes of machines, for counting. It must return at once.
    public init(
        _ settings: MachineSettings, spare: Int, logger: Logger,
        observe: @escaping @Sendable (MachinePoolNews) -> Void = { _ in }
    ) {
        let pool = SparePool<Machine>(spare: spare, logger: logger, observe: observe) {
            (report) async throws(MachineError) in
            try await MachineLaunch(settings: settings, report: report).run()
        }
        self.pool = pool
        Task { await pool.refill() }
    }

    /// A machine for one build: a ready one at once, otherwise one that is booted now. Whoever has it ends it.
    ///
    /// - Parameter report: is told what is being waited for, in a few sentences.
    public func take(report: @escaping @Sendable (String) -> Void) async throws(MachineError) -> Machine {
        try await pool.take(report: report)
    }

    /// Ends all machines, those in use too. Returns when nothing of them is left. There are no others afterwards.
    public func shutDown() async { await pool.shutDown() }

    /// For the start of a service: ends what an earlier run that was killed left running in `folder`, and removes it.
    ///
    /// - Parameter logger: is told of what could not be ended or removed.
    public static func removeLeftovers(folder: String, logger: Logger) async {
        MachineLeftovers.remove(in: folder, before: ProcessTable.startTime(of: getpid()), logger: logger)
    }
}

/// What becomes of the machines of a pool.
public enum MachinePoolNews: Hashable, Sendable {
    /// One answers, so long after its start.
    case booted(Duration)
    /// One did not come to answer, through no wish of whoever waited for it.
    case failed
    /// So many are ready and unused now.
    case spare(Int)
}

extension Machine: PooledMachine {}
