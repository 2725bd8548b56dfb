// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Synchronization
internal import Toolchains

extension BuildRun {
    /// The build phase: no network, sources read-only, each line of the log an event.
    func build(_ inputs: VerifiedInputs) async throws(BuildFailure) -> CompletedBuild {
        var command = inputs.toolchain.buildCommand(workspace: workspace)
        command.timeLimit = settings.limits.buildSeconds
        let log = try BuildLog(path: job.logPath, events: events)
        let messages = Mutex(CargoMessages())
        let outcome = try await inputs.runner.run(command) { (stream, bytes) throws(BuildFailure) in
            switch stream {
            case .standardError: try log.append(bytes)
            case .standardOutput:
                let other = try messages.withLock { (messages) throws(BuildFailure) in try messages.append(bytes) }
                try log.append(other)
            }
        }
        let logDigest = try log.finish()
        guard outcome.succeeded else {
            throw BuildFailure(.build, "cargo build failed with status \(outcome.status); the build log says why")
        }
        let artifacts = try messages.withLock { (messages) throws(BuildFailure) in
            try messages.artifacts(in: workspace)
        }
        return CompletedBuild(command: command, artifacts: artifacts, logDigest: logDigest)
    }
}
