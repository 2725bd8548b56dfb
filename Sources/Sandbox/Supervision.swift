// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Processes

/// Watches over one running command: hands on its output, and ends it at a limit, a time, an error or a cancellation.
struct Supervision: ~Copyable {
    private static let blockSize = 64 << 10
    /// The system's largest, of one without special rights (pipe(7)).
    private static let pipeCapacity = 1 << 20
    /// Milliseconds between looks at memory and processes, at least.
    private static let interval: Int32 = 100

    private let child: ChildProcess
    /// `nil` where the command is not confined.
    private let namespace: ProcessNamespace?
    private let limits: BuildLimits
    private let timeLimit: Int
    private let group: ControlGroup?
    private let disk: DiskWatch
    private let cancellation: Cancellation
    /// Devices of file systems in memory that are not the build's.
    private let machine = MemoryFileSystems.machine()
    private let deadline: ContinuousClock.Instant
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 16)
    private var openOutputs: Set<Int32>
    private var failure: BuildFailure?
    private var nextLook: ContinuousClock.Instant
    private var isNearLimit = false

    init(
        child: consuming ChildProcess, namespace: ProcessNamespace?, limits: BuildLimits, timeLimit: Int,
        group: ControlGroup?, disk: DiskWatch, cancellation: Cancellation
    ) {
        openOutputs = [child.standardOutput, child.standardError]
        self.child = child
        self.namespace = namespace
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
            if failure == nil, let namespace, ready.contains(namespace.information) {
                do throws(BuildFailure) { try namespace.begin() } catch { end(error) }
            }
            look()
            isRunning = !ready.contains(child.ended)
        }
        if let namespace { namespace.end() } else { child.kill() }
        let status = child.wait()
        if namespace == nil { child.waitForGroup() }
        for descriptor in openOutputs { drain(descriptor, once: false, output) }
        if let failure = failure ?? group?.failure(limits) ?? disk.failure { throw failure }
        return CommandOutcome(status: status)
    }

    private func waitForNews() -> Set<Int32> {
        var watched = openOutputs.union([child.ended])
        if failure == nil { watched.insert(cancellation.descriptor) }
        if failure == nil, let namespace, !namespace.hasBegun { watched.insert(namespace.information) }
        var polls = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polls, nfds_t(polls.count), Self.interval) > 0 else { return [] }
        return Set(polls.filter { $0.revents != 0 }.map(\.fd))
    }

    /// Hands on what a pipe holds: one block while the command runs, everything at the end. After a failure the pipe is
    /// still emptied, so that nothing waits for it. What outlives an unconfined command may go on to write: no more than
    /// a pipe can hold is read then.
    private mutating func drain(_ descriptor: Int32, once: Bool, _ output: OutputReceiver) {
        var left = Self.pipeCapacity
        repeat {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { openOutputs.remove(descriptor) }
                return
            }
            left -= count
            guard failure == nil else { continue }
            let stream: Builds.OutputStream = descriptor == child.standardOutput ? .standardOutput : .standardError
            do throws(BuildFailure) {
                try output(stream, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                end(error)
            }
        } while !once && left > 0
    }

    private mutating func look() {
        let now = ContinuousClock.now
        guard now >= nextLook else { return }
        if now >= deadline {
            end(BuildFailure(.timeout, "the command took longer than its time limit of \(timeLimit) seconds"))
        }
        disk.check()
        if let failure = disk.failure { end(failure) }
        if namespace != nil { lookAtProcesses() }
        // Looking costs the build time: rarely while it is far from its limits, often when it comes near.
        let cost = ContinuousClock.now - now
        let pause = isNearLimit ? cost * 20 : min(cost * 400, .seconds(1))
        nextLook = now + max(.milliseconds(Self.interval), pause)
        // A command that did not die at the first request is asked again.
        if failure != nil { kill() }
    }

    private mutating func lookAtProcesses() {
        let usage = ProcessTable.usage(below: child.id, disk: disk.device, machine: machine)
        disk.report(deleted: usage.deletedFiles)
        guard group == nil else { return }
        isNearLimit = usage.memory > limits.memory / 4 || usage.threads > limits.processes / 4
        if usage.memory > limits.memory {
            end(
                BuildFailure(
                    .resourceLimit,
                    "the build used \(usage.memory) bytes of memory, more than the limit of \(limits.memory) (memory)"))
        } else if usage.hasUncountable {
            end(
                BuildFailure(
                    .resourceLimit,
                    "the build mounted files in memory that cannot be counted; give its tmpfs a size that is not 0 (memory)"
                ))
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
    /// when they are gone. Before there is one, nothing of the build runs.
    private func kill() {
        group?.kill()
        if namespace?.kill() != true { child.kill() }
    }
}
