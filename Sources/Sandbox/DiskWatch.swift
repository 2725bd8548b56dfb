// SPDX-License-Identifier: Apache-2.0
import Builds
import Dispatch
import Foundation
import Synchronization

/// Watches the size of a workspace while a command runs, on a thread of its own: a walk over many files takes its time.
///
/// It walks once a second, and never spends more than a hundredth of the time; it walks at once when the file system's
/// free space has dropped by a good part of the limit.
final class DiskWatch: Sendable {
    private struct State {
        var failure: BuildFailure?
        var isStopped = false
        var freeAtLastWalk: Int64
    }

    private let workspace: Workspace
    private let limits: BuildLimits
    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    init(workspace: Workspace, limits: BuildLimits) {
        self.workspace = workspace
        self.limits = limits
        state = Mutex(State(freeAtLastWalk: Self.freeSpace(workspace.root)))
        let thread = Thread { self.watch() }
        thread.stackSize = 512 << 10
        thread.name = "disk"
        thread.start()
    }

    /// Why the command must end, once that is so.
    var failure: BuildFailure? { state.withLock { $0.failure } }

    /// Cheap: compares the free space with that of the last walk.
    func check() {
        let free = Self.freeSpace(workspace.root)
        let dropped = state.withLock { $0.freeAtLastWalk - free }
        if dropped > limits.diskSize / 4 { wake.signal() }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
    }

    private func watch() {
        var pause = DispatchTimeInterval.seconds(1)
        while true {
            _ = wake.wait(timeout: .now() + pause)
            guard !state.withLock({ $0.isStopped }) else { return }
            let free = Self.freeSpace(workspace.root)
            let start = ContinuousClock.now
            let size = FolderSize(of: workspace.root)
            let cost = ContinuousClock.now - start
            state.withLock {
                $0.freeAtLastWalk = free
                $0.failure = $0.failure ?? excess(size)
            }
            pause = .milliseconds(max(1000, Int(cost / .milliseconds(1)) * 100))
        }
    }

    private func excess(_ size: FolderSize) -> BuildFailure? {
        if size.bytes > limits.diskSize {
            return BuildFailure(
                .resourceLimit,
                "the workspace had \(size.bytes) bytes, more than the limit of \(limits.diskSize) (disk_size)")
        }
        if size.files > limits.diskFiles {
            return BuildFailure(
                .resourceLimit,
                "the workspace had \(size.files) files, more than the limit of \(limits.diskFiles) (disk_files)")
        }
        return nil
    }

    private static func freeSpace(_ path: String) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }
}

/// What a folder holds on disk; files with several names count once for each.
struct FolderSize: Hashable, Sendable {
    private(set) var bytes: Int64 = 0
    private(set) var files = 0

    init(of path: String) {
        var pending = [path]
        while let folder = pending.popLast() {
            // The build may have closed its folders to a user without special rights: it is the same user.
            guard let directory = opendir(folder) ?? Self.reopen(folder) else { continue }
            defer { closedir(directory) }
            while let entry = readdir(directory) { add(entry, in: folder, directory, to: &pending) }
        }
    }

    private mutating func add(
        _ entry: UnsafeMutablePointer<dirent>, in folder: String, _ directory: OpaquePointer, to pending: inout [String]
    ) {
        var status = stat()
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes -> String in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return "" }
            fstatat(dirfd(directory), start, &status, AT_SYMLINK_NOFOLLOW)
            return String(cString: start)
        }
        guard name != ".", name != ".." else { return }
        files += 1
        bytes += Int64(status.st_blocks) * 512
        if status.st_mode & S_IFMT == S_IFDIR { pending.append("\(folder)/\(name)") }
    }

    private static func reopen(_ folder: String) -> OpaquePointer? {
        guard errno == EACCES, chmod(folder, 0o700) == 0 else { return nil }
        return opendir(folder)
    }
}
