// SPDX-License-Identifier: Apache-2.0
import Builds
import Dispatch
import Foundation
import Synchronization

/// Watches the size of a workspace while a command runs, on a thread of its own: a walk over many files takes its time.
///
/// It walks once a second, and never spends more than a four-hundredth of the time. It walks at once when the file
/// system's free space, or the number of files that it still takes, has dropped by a good part of the limit.
final class DiskWatch: Sendable {
    private struct State {
        var failure: BuildFailure?
        var isStopped = false
        var freeAtLastWalk: Free
        var deletedFiles: Int64 = 0
    }

    /// What a file system still takes. Some have no number of files: it is 0 then, and stays 0.
    private struct Free {
        let bytes: Int64
        let files: Int64

        init(at path: String) {
            var status = statvfs()
            let isKnown = statvfs(path, &status) == 0
            bytes = isKnown ? Int64(clamping: status.f_bavail) * Int64(clamping: status.f_frsize) : 0
            files = isKnown ? Int64(clamping: status.f_ffree) : 0
        }

        func isFarBelow(_ last: Free, _ limits: BuildLimits) -> Bool {
            last.bytes - bytes > limits.diskSize / 4 || last.files - files > Int64(limits.diskFiles) / 4
        }
    }

    /// On which the workspace lies.
    let device: dev_t
    private let workspace: Workspace
    private let limits: BuildLimits
    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    init(workspace: Workspace, limits: BuildLimits) {
        self.workspace = workspace
        self.limits = limits
        var status = stat()
        device = stat(workspace.root, &status) == 0 ? status.st_dev : 0
        state = Mutex(State(freeAtLastWalk: Free(at: workspace.root)))
        let thread = Thread { self.watch() }
        thread.stackSize = 512 << 10
        thread.name = "disk"
        thread.start()
    }

    /// Why the command must end, once that is so.
    var failure: BuildFailure? { state.withLock { $0.failure } }

    /// Cheap: compares what is free with that of the last walk.
    func check() {
        let free = Free(at: workspace.root)
        let isDue = state.withLock { state in
            guard free.isFarBelow(state.freeAtLastWalk, limits) else { return false }
            state.freeAtLastWalk = free
            return true
        }
        if isDue { wake.signal() }
    }

    /// Takes the bytes of files that are open but have no name: only who looks at processes sees them.
    func report(deleted bytes: Int64) {
        state.withLock {
            $0.deletedFiles = bytes
            if bytes > limits.diskSize { $0.failure = $0.failure ?? tooLarge(bytes) }
        }
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
            let free = Free(at: workspace.root)
            let start = ContinuousClock.now
            let size = FolderSize(of: workspace.root)
            let cost = ContinuousClock.now - start
            state.withLock {
                $0.freeAtLastWalk = free
                $0.failure = $0.failure ?? excess(size, deleted: $0.deletedFiles)
            }
            pause = .milliseconds(max(1000, Int(cost / .microseconds(1)) * 400 / 1000))
        }
    }

    private func excess(_ size: FolderSize, deleted: Int64) -> BuildFailure? {
        if size.bytes + deleted > limits.diskSize { return tooLarge(size.bytes + deleted) }
        guard size.files > limits.diskFiles || size.isTooDeep else { return nil }
        let count = size.isTooDeep ? "folders too deep within each other to count" : "\(size.files) files"
        return BuildFailure(
            .resourceLimit, "the workspace had \(count), more than the limit of \(limits.diskFiles) (disk_files)")
    }

    private func tooLarge(_ bytes: Int64) -> BuildFailure {
        BuildFailure(
            .resourceLimit, "the workspace had \(bytes) bytes, more than the limit of \(limits.diskSize) (disk_size)")
    }
}
