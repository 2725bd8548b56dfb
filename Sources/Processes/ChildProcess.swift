// SPDX-License-Identifier: Apache-2.0
package import CProcess
import Foundation

/// A process that was just started, in a session of its own, with standard input empty and both outputs in pipes.
///
/// The child inherits nothing else but `inherited`. It must be started and waited for on one thread that lives as long
/// as it does: the kernel sends a parent-death signal when the *thread* that started a child ends (`setpriv --pdeathsig`,
/// `bwrap --die-with-parent`).
package struct ChildProcess: ~Copyable {
    package let id: pid_t
    /// Becomes readable when the process has ended.
    package let ended: Int32
    package let standardOutput: Int32
    package let standardError: Int32

    /// - Parameters:
    ///   - arguments: the first is an absolute path.
    ///   - inherited: descriptors that the child gets as numbers 3, 4 and so on.
    package init(
        _ arguments: [String], environment: [String: String], workingDirectory: String? = nil,
        inherited: [Int32] = []
    ) throws(ProcessError) {
        var output: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        guard cprocess_pipe(&output, false) == 0, cprocess_pipe(&errors, false) == 0 else {
            let code = errno
            for descriptor in output + errors where descriptor >= 0 { close(descriptor) }
            throw Self.failure("no pipe could be made", code)
        }
        var process = pid_t()
        let status = Self.spawn(
            &process, arguments, environment, workingDirectory, output: output[1], errors: errors[1],
            inherited: inherited)
        close(output[1])
        close(errors[1])
        let descriptor = status == 0 ? cprocess_watch(process) : -1
        guard descriptor >= 0 else {
            let code = status == 0 ? errno : status
            if status == 0 { Self.end(process) }
            close(output[0])
            close(errors[0])
            throw Self.failure("\(arguments.first ?? "the program") could not be started", code)
        }
        // Only this side may not block: the flag belongs to the open pipe end.
        for descriptor in [output[0], errors[0]] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        id = process
        ended = descriptor
        standardOutput = output[0]
        standardError = errors[0]
    }

    deinit {
        close(ended)
        close(standardOutput)
        close(standardError)
    }

    /// Waits, and returns the exit status; 128 + the signal's number where a signal ended it.
    package borrowing func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    /// Kills the process and its session's first process group.
    package borrowing func kill() {
        _ = Foundation.kill(-id, SIGKILL)
        _ = Foundation.kill(id, SIGKILL)
    }

    /// Waits, a second at most, until nothing is left of the process group that was killed.
    package borrowing func waitForGroup() {
        for _ in 0..<100 where Foundation.kill(-id, 0) == 0 { usleep(10_000) }
    }

    private static func spawn(
        _ process: inout pid_t, _ arguments: [String], _ environment: [String: String], _ directory: String?,
        output: Int32, errors: Int32, inherited: [Int32]
    ) -> Int32 {
        let argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        return cprocess_spawn(&process, argv, envp, directory, output, errors, inherited, Int32(inherited.count))
    }

    private static func end(_ process: pid_t) {
        _ = Foundation.kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    private static func failure(_ what: String, _ code: Int32) -> ProcessError {
        ProcessError("\(what): \(String(cString: strerror(code)))")
    }
}
