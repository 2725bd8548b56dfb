// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation

/// Watches over one running command: hands on its output, and ends it at a limit, a time, an error or a cancellation.
struct Supervision: ~Copyable {
    private static let blockSize = 64 << 10
    /// Milliseconds between looks at memory and processes.
    private static let interval: Int32 = 100

    private let child: ChildProcess
    private let confinement: Confinement
    private let limits: BuildLimits
    private let timeLimit: Int
    private let group: ControlGroup?
    private let disk: DiskWatch
    private let cancellation: Cancellation
    private let deadline: ContinuousClock.Instant
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 16)
    private var openOutputs: Set<Int32>
    private var failure: BuildFailure?
    private var nextLook: ContinuousClock.Instant

    init(
        child: consuming ChildProcess, confinement: Confinement, limits: BuildLimits, timeLimit: Int,
        group: ControlGroup?, disk: DiskWatch, cancellation: Cancellation
    ) {
        openOutputs = [child.standardOutput, child.standardError]
        self.child = child
        self.confinement = confinement
        self.limits = limits
        self.timeLimit = timeLimit
        self.group = group
        self.disk = disk
        self.cancellation = cancellation
        let now = ContinuousClock.now
        deadline = now + .seconds(timeLimit)
        nextLook = now + .milliseconds(Self.interval)
    }

    deinit { buffer.deallocate() }

    /// Returns when the command and all that it started are dead, and all that they wrote was handed on.
    mutating func run(_ output: OutputReceiver) throws(BuildFailure) -> CommandOutcome {
        var isRunning = true
        while isRunning {
            let ready = waitForNews()
            for descriptor in ready.intersection(openOutputs) { drain(descriptor, once: true, output) }
            if ready.contains(cancellation.descriptor) { end(BuildFailure(.cancelled, "the build was cancelled")) }
            look()
            isRunning = !ready.contains(child.ended)
        }
        if confinement == .none { child.kill() }
        let status = child.wait()
        for descriptor in openOutputs { drain(descriptor, once: false, output) }
        if let failure = failure ?? group?.failure(limits) ?? disk.failure { throw failure }
        return CommandOutcome(status: status)
    }

    private func waitForNews() -> Set<Int32> {
        let watched = openOutputs.union(failure == nil ? [child.ended, cancellation.descriptor] : [child.ended])
        var polls = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polls, nfds_t(polls.count), Self.interval) > 0 else { return [] }
        return Set(polls.filter { $0.revents != 0 }.map(\.fd))
    }

    /// Hands on what a pipe holds: one block while the command runs, everything at the end. After a failure the pipe is
    /// still emptied, so that nothing waits for it.
    private mutating func drain(_ descriptor: Int32, once: Bool, _ output: OutputReceiver) {
        repeat {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { openOutputs.remove(descriptor) }
                return
            }
            guard failure == nil else { continue }
            let stream: Builds.OutputStream = descriptor == child.standardOutput ? .standardOutput : .standardError
            do throws(BuildFailure) {
                try output(stream, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                end(error)
            }
        } while !once
    }

    private mutating func look() {
        let now = ContinuousClock.now
        guard now >= nextLook else { return }
        if now >= deadline {
            end(BuildFailure(.timeout, "the command took longer than its time limit of \(timeLimit) seconds"))
        }
        disk.check()
        if let failure = disk.failure { end(failure) }
        if group == nil, confinement == .bubblewrap { lookAtProcesses() }
        let cost = ContinuousClock.now - now
        nextLook = now + max(.milliseconds(Self.interval), cost * 50)
        // A command that did not die at the first request is asked again.
        if failure != nil { kill() }
    }

    private mutating func lookAtProcesses() {
        let usage = ProcessTable.usage(below: child.id)
        if usage.memory > limits.memory {
            end(
                BuildFailure(
                    .resourceLimit,
                    "the build used \(usage.memory) bytes of memory, more than the limit of \(limits.memory) (memory)"))
        } else if usage.threads > limits.processes {
            end(
                BuildFailure(
                    .resourceLimit,
                    "the build had \(usage.threads) processes and threads, more than the limit of \(limits.processes) "
                        + "(processes)"))
        }
    }

    private mutating func end(_ reason: BuildFailure) {
        if failure == nil { failure = reason }
        kill()
    }

    /// In a sandbox, the namespace's first process is killed: the kernel then kills all others, and bubblewrap returns
    /// when they are gone.
    private func kill() {
        group?.kill()
        guard confinement == .bubblewrap, let first = ProcessTable.children(of: child.id).first else {
            child.kill()
            return
        }
        _ = Foundation.kill(first, SIGKILL)
    }
}
