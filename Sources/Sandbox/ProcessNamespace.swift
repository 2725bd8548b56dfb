// SPDX-License-Identifier: Apache-2.0
import Builds
import CProcess
import Foundation

/// The process namespace of one confined command, by its first process: when that is dead, all are.
///
/// bubblewrap ends when the command does, and the kernel ends what else runs in the namespace a moment later. To wait for
/// that moment, the first process must be held before anything of the build runs: bubblewrap says its number
/// (`--info-fd`), and waits for permission to begin (`--block-fd`). By then the number cannot belong to another.
final class ProcessNamespace {
    /// Becomes readable when there is a first process.
    let information: Int32
    private let permission: Int32
    /// What bubblewrap gets: where to write the information, where to read the permission.
    let childsEnds: [Int32]
    private var childsEndsAreOpen = true
    private var first: Int32 = -1
    private let start = ContinuousClock.now

    init() throws(BuildFailure) {
        var information: [Int32] = [-1, -1]
        var permission: [Int32] = [-1, -1]
        guard cprocess_pipe(&information, false) == 0, cprocess_pipe(&permission, false) == 0 else {
            let code = errno
            for descriptor in information where descriptor >= 0 { close(descriptor) }
            throw BuildFailure(.sandbox, "no pipe could be made: \(String(cString: strerror(code)))")
        }
        self.information = information[0]
        self.permission = permission[1]
        childsEnds = [information[1], permission[0]]
    }

    deinit {
        closeChildsEnds()
        close(information)
        close(permission)
        if first >= 0 { close(first) }
    }

    /// For the time after the child was started: only it may hold them.
    func closeChildsEnds() {
        guard childsEndsAreOpen else { return }
        childsEndsAreOpen = false
        for descriptor in childsEnds { close(descriptor) }
    }

    private(set) var hasBegun = false

    /// Takes hold of the first process and lets the command begin. Without information bubblewrap has failed: what it
    /// wrote says why.
    func begin() throws(BuildFailure) {
        hasBegun = true
        guard takeHold() else { return }
        guard first >= 0 else {
            throw BuildFailure(.sandbox, "the sandbox's first process was lost: \(String(cString: strerror(errno)))")
        }
        _ = write(permission, [1], 1)
    }

    /// `false` when there is no first process yet, although there was time for it.
    func kill() -> Bool {
        if first < 0, hasInformation { _ = takeHold() }
        guard first >= 0 else { return ContinuousClock.now - start < .seconds(5) }
        return cprocess_kill(first) == 0
    }

    /// Kills everything in the namespace, and returns when all of it is dead.
    func end() {
        if first < 0, hasInformation { _ = takeHold() }
        guard first >= 0 else { return }
        _ = cprocess_kill(first)
        var entry = pollfd(fd: first, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, -1) < 0, errno == EINTR {}
        // It became this process's child where this process is the machine's or the container's first (P_PIDFD).
        var information = siginfo_t()
        _ = waitid(idtype_t(rawValue: 3), id_t(first), &information, WEXITED | WNOHANG)
    }

    private var hasInformation: Bool {
        var entry = pollfd(fd: information, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Reads what bubblewrap says, an object with the member `child-pid`; `false` when it said nothing.
    private func takeHold() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var count = 0
        while count < bytes.count {
            let more = bytes[count...].withUnsafeMutableBytes { read(information, $0.baseAddress, $0.count) }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { break }
            count += more
        }
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes[..<count])) as? [String: Any],
            let number = object["child-pid"] as? Int
        else { return false }
        first = cprocess_watch(pid_t(number))
        return true
    }
}
