// SPDX-License-Identifier: Apache-2.0
public import BuildClient
public import Builds

/// How far a machine is trusted to come to an end, and to keep within bounds: not at all. What it builds is settled by
/// evidence, what it sends is held to these limits.
public struct RelayLimits: Sendable {
    /// From the moment that the machine is ready to the moment that its result is here.
    public var deadline: Duration
    /// Bytes of the result.
    public var resultSize: Int64
    /// Lines of the console that become events.
    public var consoleLines = 64
    /// For what is on its way when a machine has ended, and for a machine to end when it answers no more.
    public var farewell = Duration.seconds(3)
    /// Further attempts where a connection breaks. There is no wire between the two that could be cut.
    public var schedule = RetrySchedule(first: .milliseconds(250), longest: .seconds(2), attempts: 3)
    /// Silence on a connection that counts as a broken one; an agent that lives sends something every 15 seconds.
    public var silence = Duration.seconds(45)

    /// Time beside that of the phases: for handing the source over, hashing, packing, evidence and the result.
    static let spareSeconds = 1800
    /// Bytes beside artifacts and log: provenance, evidence, bill of materials, the archive's own.
    static let documentsSize: Int64 = 256 << 20

    /// Of the host's own limits those that concern it; the machine has limits of its own within.
    public init(_ limits: BuildLimits) {
        deadline = .seconds(2 * limits.fetchSeconds + limits.buildSeconds + Self.spareSeconds)
        resultSize = limits.artifactSize + limits.logSize + Self.documentsSize
    }
}
