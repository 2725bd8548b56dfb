// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How much a machine has, and how much of it one build may use.
public struct MachineSize: Hashable, Sendable {
    /// Bytes of memory.
    public var memory: Int64
    /// Free bytes of the disk that builds write to.
    public var disk: Int64
    /// Files that the disk has room for.
    public var files: Int

    public init(memory: Int64, disk: Int64, files: Int) {
        (self.memory, self.disk, self.files) = (memory, disk, files)
    }

    /// This machine, with the disk at `folder`.
    public init(disk folder: String) throws(GuestError) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            throw GuestError("the disk at \(folder) could not be measured: \(String(cString: strerror(errno)))")
        }
        self.init(
            memory: Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE))),
            disk: Int64(status.f_bavail) * Int64(status.f_frsize), files: Int(clamping: status.f_favail))
    }

    /// For a build: an eighth, and no less than 256 MiB, is for the kernel and the agent.
    var buildMemory: Int64 { max(memory - max(memory / 8, 256 << 20), 16 << 20) }

    /// For a workspace. The same again of the source, the result and the log lies beside it.
    var buildDisk: Int64 { max(disk / 4 * 3, 1) }

    var buildFiles: Int { max(files / 4 * 3, 1) }
}
