// SPDX-License-Identifier: Apache-2.0
import Foundation
import Processes

extension ProcessTable {
    struct Usage: Hashable, Sendable {
        /// Resident bytes; pages that processes share count for each. With the files that are in memory.
        var memory: Int64 = 0
        /// Whether there are files in memory that cannot be counted.
        var hasUncountable = false
        var threads = 0
        /// Bytes on disk of files that have no name any more, but are open: no walk over folders finds them.
        var deletedFiles: Int64 = 0
    }

    /// What all descendants of a process use. In a pid namespace nothing can leave that tree. Open files without a name
    /// count as memory (memfd_create(2)) unless they lie on the device `disk`; so do file systems in memory, but those of
    /// `machine`.
    static func usage(below process: pid_t, disk: dev_t, machine: Set<dev_t>) -> Usage {
        var usage = Usage()
        var files = OpenFiles(disk: disk, machine: machine)
        var pending = children(of: process)
        var seen: Set<pid_t> = []
        while let next = pending.popLast() {
            guard seen.insert(next).inserted else { continue }
            usage.memory += residentMemory(of: next)
            usage.threads += max(1, threads(of: next))
            files.add(of: next)
            pending += children(of: next)
        }
        usage.memory += files.memory
        usage.hasUncountable = files.systems.hasUncountable
        usage.deletedFiles = files.disk
        return usage
    }

    /// Files that are open and have no name, each once, and the file systems in memory that processes see or hold open.
    private struct OpenFiles {
        private struct Identity: Hashable {
            let device: dev_t
            let number: ino_t
        }

        private let device: dev_t
        private var seen: Set<Identity> = []
        private var nameless: [dev_t: Int64] = [:]
        private(set) var systems: MemoryFileSystems

        init(disk: dev_t, machine: Set<dev_t>) {
            device = disk
            systems = MemoryFileSystems(but: machine.union([disk]))
        }

        var disk: Int64 { nameless[device] ?? 0 }
        /// A file system's bytes are those of its nameless files too.
        var memory: Int64 {
            let others = nameless.filter { $0.key != device && !systems.counted.contains($0.key) }
            return systems.bytes + others.values.reduce(0, +)
        }

        mutating func add(of process: pid_t) {
            systems.add(mountsOf: process)
            // Nothing needs to be mounted any more where a process still is.
            var folder = stat()
            if stat("/proc/\(process)/cwd", &folder) == 0 {
                systems.add(device: folder.st_dev, at: "/proc/\(process)/cwd")
            }
            for name in names(in: "/proc/\(process)/fd") {
                let path = "/proc/\(process)/fd/\(name)"
                var status = stat()
                guard stat(path, &status) == 0 else { continue }
                let isFile = status.st_mode & S_IFMT == S_IFREG
                // What is made by memfd_create(2) is on a file system of the kernel's own.
                if status.st_nlink > 0, isFile || status.st_mode & S_IFMT == S_IFDIR {
                    systems.add(device: status.st_dev, at: path)
                }
                guard isFile, status.st_nlink == 0,
                    seen.insert(Identity(device: status.st_dev, number: status.st_ino)).inserted
                else { continue }
                nameless[status.st_dev, default: 0] += Int64(status.st_blocks) * 512
            }
        }
    }

    /// The second field of statm, in pages (proc(5)).
    private static func residentMemory(of process: pid_t) -> Int64 {
        let fields = (text("/proc/\(process)/statm") ?? "").split(separator: " ")
        guard fields.count > 1, let pages = Int64(fields[1]) else { return 0 }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
