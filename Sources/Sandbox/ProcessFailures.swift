// SPDX-License-Identifier: Apache-2.0
import Builds
import Processes

/// Says what a process could not do as the failure of a build.
func sandboxed<Result>(_ work: () throws(ProcessError) -> Result) throws(BuildFailure) -> Result {
    do {
        return try work()
    } catch {
        throw BuildFailure(.sandbox, error.message)
    }
}

extension ControlGroup {
    /// The limit that was met, where one was.
    func failure(_ limits: BuildLimits) -> BuildFailure? {
        if count("oom_kill", in: "memory.events") > 0 {
            return BuildFailure(
                .resourceLimit, "the build needed more memory than the limit of \(limits.memory) bytes (memory)")
        }
        if count("max", in: "pids.events") > 0 {
            return BuildFailure(
                .resourceLimit,
                "the build needed more processes and threads than the limit of \(limits.processes) (processes)")
        }
        return nil
    }
}
