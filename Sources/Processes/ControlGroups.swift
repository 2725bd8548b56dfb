// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The part of the cgroup v2 hierarchy that was delegated to this service (kernel, "Control Group v2", Delegation), as
/// systemd does with `Delegate=yes`.
package struct ControlGroups: Hashable, Sendable {
    /// The folder below which a group is made for each command.
    package let path: String

    package init(path: String) { self.path = path }

    /// `nil` where there is no cgroup v2, or none of it is this service's to divide. It is divided at the first call.
    package static func delegated() -> ControlGroups? { shared }

    private static let shared = divide()

    private static func divide() -> ControlGroups? {
        let root = "/sys/fs/cgroup"
        guard access(root + "/cgroup.controllers", R_OK) == 0,
            let own = ProcessTable.text("/proc/self/cgroup")?.split(separator: "\n").first(where: {
                $0.hasPrefix("0::")
            })
        else { return nil }
        let path = root + own.dropFirst(3)
        guard path != root + "/", access(path + "/cgroup.subtree_control", W_OK) == 0 else { return nil }
        // A group that has processes cannot have children with controllers: the service moves into a leaf.
        let leaf = path + "/service"
        guard mkdir(leaf, 0o755) == 0 || errno == EEXIST, put("\(getpid())", in: leaf + "/cgroup.procs") else {
            return nil
        }
        guard put("+memory +pids", in: path + "/cgroup.subtree_control") else {
            // Others are in this group: it is not ours to divide.
            _ = put("\(getpid())", in: path + "/cgroup.procs")
            rmdir(leaf)
            return nil
        }
        return ControlGroups(path: path)
    }

    /// A new group, of at most `memory` bytes and that many processes and threads. One of that name is ended before.
    package func make(_ name: String, memory: Int64, processes: Int) throws(ProcessError) -> ControlGroup {
        let group = ControlGroup(path: "\(path)/\(name)")
        group.remove()
        let isMade = mkdir(group.path, 0o755) == 0
        guard isMade, Self.put("\(memory)", in: group.path + "/memory.max"),
            Self.put("\(processes)", in: group.path + "/pids.max")
        else {
            let code = errno
            // One without its limits is of no use: nobody would remove it.
            if isMade { rmdir(group.path) }
            throw ProcessError("the cgroup \(group.path) could not be made: \(String(cString: strerror(code)))")
        }
        // Swap is not there on every kernel.
        _ = Self.put("0", in: group.path + "/memory.swap.max")
        return group
    }

    /// Ends every group whose name begins so.
    package func removeAll(prefix: String) {
        for name in ProcessTable.names(in: path) where name.hasPrefix(prefix) {
            ControlGroup(path: "\(path)/\(name)").remove()
        }
    }

    static func put(_ text: String, in file: String) -> Bool {
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(descriptor, text, text.utf8.count) == text.utf8.count
    }
}

/// The cgroup of one command.
package struct ControlGroup: Hashable, Sendable {
    package let path: String

    /// Kills every process in it (Linux 5.14).
    package func kill() { _ = ControlGroups.put("1", in: path + "/cgroup.kill") }

    package func remove() {
        kill()
        for _ in 0..<50 where rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
    }

    /// A counter of one of its files: how often a limit was met.
    package func count(_ name: String, in file: String) -> Int {
        let lines = (ProcessTable.text("\(path)/\(file)") ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix(name + " ") }
        return line.flatMap { Int($0.dropFirst(name.utf8.count + 1)) } ?? 0
    }
}
