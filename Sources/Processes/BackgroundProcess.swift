// SPDX-License-Identifier: Apache-2.0
package import CProcess
import Foundation
import Synchronization

/// A process that runs beside everything else. It has a thread of its own, which lives exactly as long and reads its
/// output (see ``ChildProcess``).
package final class BackgroundProcess: Sendable {
    /// Gets the process's output, on its thread, piece by piece.
    package typealias Output = @Sendable (_ isError: Bool, UnsafeRawBufferPointer) -> Void

    private enum State {
        case running([CheckedContinuation<Int32, Never>])
        case ended(Int32)
    }

    /// The system's largest, of one without special rights (pipe(7)).
    private static let pipeCapacity = 1 << 20

    package let id: pid_t
    private let killing: Cancellation
    private let state = Mutex(State.running([]))

    private init(id: pid_t, killing: Cancellation) {
        self.id = id
        self.killing = killing
    }

    /// Starts it; the arguments are those of ``ChildProcess``. `inherited` may be closed when this returns.
    package static func start(
        _ arguments: [String], environment: [String: String], workingDirectory: String? = nil, inherited: [Int32] = [],
        output: @escaping Output
    ) async throws(ProcessError) -> BackgroundProcess {
        let killing = try Cancellation()
        let result: Result<BackgroundProcess, ProcessError> = await withCheckedContinuation { continuation in
            let thread = Thread {
                do throws(ProcessError) {
                    let child = try ChildProcess(
                        arguments, environment: environment, workingDirectory: workingDirectory, inherited: inherited)
                    let process = BackgroundProcess(id: child.id, killing: killing)
                    continuation.resume(returning: .success(process))
                    process.end(with: process.watch(child, output))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            thread.stackSize = 512 << 10
            thread.name = "process"
            thread.start()
        }
        return try result.get()
    }

    /// Its exit status, 128 + the signal's number where a signal ended it; `nil` while it runs.
    package var status: Int32? {
        state.withLock { if case .ended(let status) = $0 { status } else { nil } }
    }

    /// Has it killed, and what it started in its group. Returns at once.
    package func kill() { killing.cancel() }

    /// Returns ``status`` when it has ended and its output was handed on.
    package func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status: Int32? = state.withLock { state in
                switch state {
                case .ended(let status): return status
                case .running(let waiting):
                    state = .running(waiting + [continuation])
                    return nil
                }
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    private func end(with status: Int32) {
        let waiting: [CheckedContinuation<Int32, Never>] = state.withLock { state in
            guard case .running(let waiting) = state else { return [] }
            state = .ended(status)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: status) }
    }

    private func watch(_ child: borrowing ChildProcess, _ output: Output) -> Int32 {
        var outputs = [child.standardOutput, child.standardError]
        var watched = [child.ended, killing.descriptor]
        var isRunning = true
        while isRunning {
            var polls = (outputs + watched).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&polls, nfds_t(polls.count), -1) > 0 else { continue }
            for entry in polls where entry.revents != 0 {
                if entry.fd == child.ended {
                    isRunning = false
                } else if entry.fd == killing.descriptor {
                    child.kill()
                    watched = [child.ended]
                } else if !read(entry.fd, isError: entry.fd == child.standardError, pieces: 1, output) {
                    outputs.removeAll { $0 == entry.fd }
                }
            }
        }
        child.kill()
        for descriptor in outputs {
            // What it started may still write: no more than a pipe holds is read.
            _ = read(
                descriptor, isError: descriptor == child.standardError, pieces: Self.pipeCapacity / Self.piece, output)
        }
        let status = child.wait()
        child.waitForGroup()
        return status
    }

    private static let piece = 16 << 10

    /// Hands on what there is to read; `false` at the end of it.
    private func read(_ descriptor: Int32, isError: Bool, pieces: Int, _ output: Output) -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.piece)
        for _ in 0..<pieces {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            guard count > 0 else { return false }
            buffer.withUnsafeBytes { output(isError, UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        return true
    }
}
