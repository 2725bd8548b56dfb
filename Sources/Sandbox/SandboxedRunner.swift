// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Processes

/// Runs the commands of one build. Each has a thread of its own (see ``ChildProcess``).
struct SandboxedRunner: CommandRunner {
    let sandbox: Sandbox
    let workspace: Workspace
    let slot: Int
    let limits: BuildLimits
    let toolMounts: [ReadOnlyMount]

    func run(_ command: Command, output: @escaping OutputReceiver) async throws(BuildFailure) -> CommandOutcome {
        let cancellation = try sandboxed { () throws(ProcessError) in try Cancellation() }
        let result: Result<CommandOutcome, BuildFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    continuation.resume(
                        returning: Result { () throws(BuildFailure) in
                            try runHere(command, cancellation, output)
                        })
                }
                thread.stackSize = 512 << 10
                thread.name = "command"
                thread.start()
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }

    private func runHere(
        _ command: Command, _ cancellation: Cancellation, _ output: OutputReceiver
    ) throws(BuildFailure) -> CommandOutcome {
        let group = try makeGroup()
        defer { group?.remove() }
        let disk = DiskWatch(workspace: workspace, limits: limits)
        defer { disk.stop() }
        let namespace = sandbox.confinement == .bubblewrap ? try ProcessNamespace() : nil
        let child = try start(command, group: group, namespace)
        var supervision = Supervision(
            child: child, namespace: namespace, limits: limits, timeLimit: command.timeLimit,
            group: group, disk: disk, cancellation: cancellation)
        return try supervision.run(output)
    }

    private func makeGroup() throws(BuildFailure) -> ControlGroup? {
        try sandboxed { () throws(ProcessError) in
            try sandbox.controlGroups?.make("build-\(slot)", memory: limits.memory, processes: limits.processes)
        }
    }

    private func start(
        _ command: Command, group: ControlGroup?, _ namespace: ProcessNamespace?
    ) throws(BuildFailure) -> ChildProcess {
        guard let namespace else {
            return try child(
                [Programs.prlimit, "--core=0:0", "--", command.executable] + command.arguments,
                environment: command.environment, workingDirectory: command.workingDirectory)
        }
        let descriptor = try SeccompFilter.descriptor(
            of: command.nestsNamespaces ? sandbox.nestingSeccompProgram : sandbox.seccompProgram)
        defer { close(descriptor) }
        let confined = BubblewrapCommand(
            command: command, workspace: workspace, toolMounts: toolMounts, limits: processLimits,
            user: sandbox.host.separatesUsers ? sandbox.host.user(slot: slot) : nil,
            controlGroup: group?.path)
        try makeToolPlaces()
        defer { namespace.closeChildsEnds() }
        return try child(confined.arguments, inherited: [descriptor] + namespace.childsEnds)
    }

    private func child(
        _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil,
        inherited: [Int32] = []
    ) throws(BuildFailure) -> ChildProcess {
        do {
            return try ChildProcess(
                arguments, environment: environment, workingDirectory: workingDirectory, inherited: inherited)
        } catch {
            throw BuildFailure(.sandbox, error.message)
        }
    }

    private func makeToolPlaces() throws(BuildFailure) {
        guard sandbox.host.separatesUsers else { return }
        for index in toolMounts.indices {
            let place = "\(workspace.root)/tools/\(index)"
            if mkdir(place, 0o755) != 0, errno != EEXIST {
                throw BuildFailure(.sandbox, "could not make \(place): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// The system's own hard limits are kept. Those of processes and memory are beyond what is watched: there, the build
    /// is told which limit it met. Processes are counted by user: a build user has no others, an ordinary user has, and
    /// may start more builds.
    private var processLimits: ResourceLimits {
        let processes =
            sandbox.host.separatesUsers
            ? limits.processes + 32 : limits.processes * 4 + ProcessTable.threads(ofUser: geteuid())
        return ResourceLimits(
            openFiles: min(limits.openFiles, Self.hardLimit(RLIMIT_NOFILE)),
            processes: min(processes, Self.hardLimit(__RLIMIT_NPROC)), fileSize: limits.diskSize,
            memory: limits.memory + (1 << 30))
    }

    private static func hardLimit(_ resource: __rlimit_resource) -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        return Int(clamping: limit.rlim_max)
    }
}
