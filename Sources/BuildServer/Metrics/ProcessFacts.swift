// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What this process uses of the machine at one moment. Where the system does not tell, as on macOS, a number is left
/// out.
struct ProcessFacts: Sendable {
    /// Seconds of user and system time.
    let processorSeconds: Double
    /// Bytes.
    let residentMemory: Int?
    /// Bytes.
    let virtualMemory: Int?
    let openFiles: Int?
    let openFileLimit: Int

    /// As it is now. Takes some milliseconds where thousands of files are open.
    init() {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        processorSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        let pages = Self.text(ofFile: "/proc/self/statm").split(separator: " ").prefix(2).compactMap { Int($0) }
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        virtualMemory = pages.count == 2 ? pages[0] * pageSize : nil
        residentMemory = pages.count == 2 ? pages[1] * pageSize : nil
        openFiles = Self.countOpenFiles()
        openFileLimit = sysconf(Int32(_SC_OPEN_MAX))
    }

    private static func countOpenFiles() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Neither `.`, nor `..`, nor the folder itself.
        return max(0, count - 3)
    }

    /// Of a short file; empty where it cannot be read.
    private static func text(ofFile path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

/// What a file system has left for this user.
struct FreeSpace: Sendable {
    let bytes: Int
    let inodes: Int

    /// `nil` where the system does not tell.
    init?(of path: String) {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        bytes = Int(
            clamping: UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize)).partialValue)
        inodes = Int(clamping: facts.f_favail)
    }
}
