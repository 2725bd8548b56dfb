// SPDX-License-Identifier: Apache-2.0
package import CProcess
import Foundation

/// Processes that an earlier run of the service left behind: its death ends them, but not always before the next start.
package enum Orphans {
    /// Kills each process that `isOrphan`, and its children, and waits, five seconds at most, until none is left.
    ///
    /// A number is judged while its process is held: it never is another's by the time of the kill.
    ///
    /// - Returns: whether none is left.
    @discardableResult
    package static func kill(where isOrphan: (pid_t) -> Bool) -> Bool {
        for _ in 0..<500 {
            let numbers = ProcessTable.names(in: "/proc").compactMap { pid_t($0) }
            guard numbers.reduce(false, { kill($1, where: isOrphan) || $0 }) else { return true }
            usleep(10_000)
        }
        return false
    }

    /// Kills every process that has the program and something below the folder on its command line.
    @discardableResult
    package static func kill(program: String, mentioning folder: String) -> Bool {
        kill { process in
            let arguments = ProcessTable.arguments(of: process)
            return arguments.contains(program) && arguments.contains { $0.hasPrefix(folder) }
        }
    }

    /// Whether there is one that is not gone: it was killed just now, or may not be.
    private static func kill(_ process: pid_t, where isOrphan: (pid_t) -> Bool) -> Bool {
        guard process != getpid() else { return false }
        let held = cprocess_watch(process)
        guard held >= 0 else { return false }
        defer { close(held) }
        guard isOrphan(process) else { return false }
        // First itself: a shell whose child dies goes on to what comes next.
        let children = ProcessTable.children(of: process).map { cprocess_watch($0) }.filter { $0 >= 0 }
        defer { for child in children { close(child) } }
        // Where it had ended before, those who have its number, or its children's, may be strangers.
        guard cprocess_kill(held) == 0 else { return errno != ESRCH }
        for child in children { _ = cprocess_kill(child) }
        return true
    }
}
