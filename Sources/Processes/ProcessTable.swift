// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads /proc.
package enum ProcessTable {
    /// The direct children of a process, whichever of its threads started them.
    package static func children(of process: pid_t) -> [pid_t] {
        let tasks = names(in: "/proc/\(process)/task")
        return tasks.flatMap { task in
            (text("/proc/\(process)/task/\(task)/children") ?? "").split(separator: " ").compactMap { pid_t($0) }
        }
    }

    /// Its command line; empty where there is no such process any more.
    package static func arguments(of process: pid_t) -> [String] {
        (text("/proc/\(process)/cmdline") ?? "").split(separator: "\0").map(String.init)
    }

    /// When it began, in ticks since the system's start (proc(5), field 22 of stat).
    package static func startTime(of process: pid_t) -> UInt64? {
        // The second field, a name between parentheses, may hold anything.
        let fields = text("/proc/\(process)/stat")?.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }

    /// Where a link of /proc leads: "/proc/1/cwd".
    package static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Threads of all processes of one user.
    package static func threads(ofUser user: UInt32) -> Int {
        names(in: "/proc").compactMap { pid_t($0) }.reduce(0) { sum, process in
            var status = stat()
            guard stat("/proc/\(process)", &status) == 0, status.st_uid == user else { return sum }
            return sum + threads(of: process)
        }
    }

    package static func threads(of process: pid_t) -> Int { names(in: "/proc/\(process)/task").count }

    package static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// A small file of /proc, whole.
    package static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
