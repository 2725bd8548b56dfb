// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation

/// The part of the cgroup v2 hierarchy that was delegated to this service (kernel, "Control Group v2", Delegation), as
/// systemd does with `Delegate=yes`.
struct ControlGroups: Hashable, Sendable {
    /// The folder below which a group is made for each command.
    let path: String

    /// `nil` where there is no cgroup v2, or none of it is this service's to divide.
    static func delegated() -> ControlGroups? {
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

    /// A new group with the limits of a build.
    func make(slot: Int, limits: BuildLimits) throws(BuildFailure) -> ControlGroup {
        let group = ControlGroup(path: "\(path)/build-\(slot)")
        group.remove()
        guard mkdir(group.path, 0o755) == 0, Self.put("\(limits.memory)", in: group.path + "/memory.max"),
            Self.put("\(limits.processes)", in: group.path + "/pids.max")
        else {
            throw BuildFailure(
                .sandbox, "the cgroup \(group.path) could not be made: \(String(cString: strerror(errno)))")
        }
        // Swap is not there on every kernel.
        _ = Self.put("0", in: group.path + "/memory.swap.max")
        return group
    }

    static func put(_ text: String, in file: String) -> Bool {
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(descriptor, text, text.utf8.count) == text.utf8.count
    }
}

/// The cgroup of one command.
struct ControlGroup: Hashable, Sendable {
    let path: String

    /// Kills every process in it (Linux 5.14).
    func kill() { _ = ControlGroups.put("1", in: path + "/cgroup.kill") }

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

    func remove() {
        kill()
        for _ in 0..<50 where rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
    }

    private func count(_ name: String, in file: String) -> Int {
        let lines = (ProcessTable.text("\(path)/\(file)") ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix(name + " ") }
        return line.flatMap { Int($0.dropFirst(name.utf8.count + 1)) } ?? 0
    }
}
