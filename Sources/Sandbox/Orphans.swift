// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Sandboxes that an earlier run of the service left behind: its death ends them, but not always before the next start.
enum Orphans {
    /// Kills every bubblewrap whose command line mentions `path`, and waits until none is left.
    static func kill(mentioning path: String) {
        for _ in 0..<500 {
            let left = ProcessTable.names(in: "/proc").compactMap { pid_t($0) }.filter { mentions($0, path) }
            guard !left.isEmpty else { return }
            for process in left {
                for child in ProcessTable.children(of: process) { _ = Foundation.kill(child, SIGKILL) }
                _ = Foundation.kill(process, SIGKILL)
            }
            usleep(10_000)
        }
    }

    private static func mentions(_ process: pid_t, _ path: String) -> Bool {
        guard process != getpid(), let line = ProcessTable.text("/proc/\(process)/cmdline") else { return false }
        let arguments = line.split(separator: "\0")
        return arguments.contains { $0 == Programs.bubblewrap } && arguments.contains { $0.hasPrefix(path) }
    }
}
