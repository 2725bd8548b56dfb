// SPDX-License-Identifier: Apache-2.0
public import Builds

/// What a toolchain may do with a build's workspace: run commands, confined as the operator chose, and speak to the
/// requester. Whatever runs as a phase is recorded in the provenance.
public protocol BuildSteps: Sendable {
    var workspace: Workspace { get }
    /// Kept over builds, so that a tool is hashed again only when its file has changed.
    var toolDigests: ToolDigestCache { get }
    /// What the operator decided for toolchains.
    var settings: ToolchainSettings { get }

    /// Runs a command that is no phase of the build: a question to a tool. Nothing that it prints is shown.
    ///
    /// Throws `ResourceLimitError` where it answers with more than `limit` bytes.
    func ask(_ command: Command, limit: Int) async throws(BuildFailure) -> CommandAnswer

    /// Runs a command before the build phase; each line that it prints is an `init` event. Its network is the
    /// command's. `answer` says whether its standard output is an answer, which is kept and not shown.
    func prepare(_ command: Command, phase: String, answer: Bool) async throws(BuildFailure) -> CommandAnswer

    /// Runs a command of the build phase; each line that it prints is a `build` event and stands in `build.log`. The
    /// provenance has each as a phase of its own, and the first as the build's command.
    ///
    /// - Parameter standardOutput: takes what comes there, and returns the part that belongs to the log.
    func build(
        _ command: Command, standardOutput: @escaping @Sendable (UnsafeRawBufferPointer) throws(BuildFailure) -> [UInt8]
    ) async throws(BuildFailure) -> CommandOutcome

    /// An `init` event for the requester.
    func note(_ line: String) throws(BuildFailure)

    /// Throws `SourceError` where one of these is at an address from which nothing may be fetched.
    func check(_ addresses: [RemoteAddress]) async throws(BuildFailure)
}

/// What a command said and how it ended.
public struct CommandAnswer: Hashable, Sendable {
    public let outcome: CommandOutcome
    /// Standard output, where it is an answer.
    public let standardOutput: [UInt8]
    /// The last lines of the rest.
    public let lines: [String]

    public init(outcome: CommandOutcome, standardOutput: [UInt8], lines: [String]) {
        self.outcome = outcome
        self.standardOutput = standardOutput
        self.lines = lines
    }
}
