// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation
internal import Processes
public import StrictJSON

/// Whether builds are confined.
public enum Confinement: Hashable, Sendable {
    /// In namespaces of their own, with a seccomp filter and limits, by bubblewrap.
    case bubblewrap
    /// As plain processes of this user, who may do whatever the user may: only for operators who say so.
    case none
}

/// A folder of this machine that commands see, read-only.
public struct ReadOnlyMount: Hashable, Sendable {
    /// Absolute path on this machine.
    public let host: String
    /// Absolute path as commands see it.
    public let inside: String

    public init(host: String, inside: String) {
        self.host = host
        self.inside = inside
    }
}

/// Makes workspaces, and runs commands in them.
///
/// As root, each build slot has a user id of its own; otherwise builds run under this user's id in a user namespace.
public struct Sandbox: Sendable {
    let confinement: Confinement
    let host: SandboxHost
    /// Absolute path of the folder of all workspaces.
    let folder: String
    let controlGroups: ControlGroups?
    let seccompProgram: [UInt8]
    /// For commands that make namespaces of their own.
    let nestingSeccompProgram: [UInt8]

    /// Far more than it takes, also where the processor is emulated and busy: a limit for what hangs.
    private static let probeSeconds = 120

    /// Prepares `folder` and finds out, by running a command, whether this host can confine. Throws `SandboxError` that
    /// says what is missing and how to mend it; nothing is relaxed unless `confinement` says so.
    ///
    /// Whatever an earlier run of the service left in `folder` is killed and removed.
    public static func prepare(confinement: Confinement, folder: String) async throws(BuildFailure) -> Sandbox {
        let host = try SandboxHost.find(confinement)
        let sandbox = Sandbox(
            confinement: confinement, host: host, folder: folder,
            controlGroups: confinement == .none ? nil : ControlGroups.delegated(),
            seccompProgram: try SeccompFilter.program(),
            nestingSeccompProgram: try SeccompFilter.program(nestsNamespaces: true))
        removeLeftovers(in: folder)
        if confinement == .bubblewrap { try await sandbox.probe() }
        return sandbox
    }

    /// How commands are confined, as the provenance records it.
    public var profile: JSONValue {
        guard confinement == .bubblewrap else {
            return ["isolation": "none", "warning": "the build was not confined: it could do whatever its user could"]
        }
        return [
            "isolation": "sandbox", "program": .string("bubblewrap \(host.bubblewrapVersion)"), "seccomp": true,
            "buildUser": .bool(host.separatesUsers), "userNamespace": true, "controlGroup": .bool(controlGroups != nil),
        ]
    }

    /// Runs commands in `workspace`, one at a time.
    public func runner(
        for workspace: Workspace, slot: Int, limits: BuildLimits, toolMounts: [ReadOnlyMount] = []
    ) -> any CommandRunner {
        SandboxedRunner(sandbox: self, workspace: workspace, slot: slot, limits: limits, toolMounts: toolMounts)
    }

    /// For the start of a service: kills what an earlier run left running in the folder of all workspaces, and removes
    /// these.
    public static func removeLeftovers(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        guard !names.isEmpty else { return }
        Orphans.kill(program: Programs.bubblewrap, mentioning: folder + "/")
        for name in names { TreeRemoval.remove("\(folder)/\(name)") }
    }

    private func probe() async throws(BuildFailure) {
        let workspace = try makeWorkspace(named: ".probe", slot: 0)
        defer { removeWorkspace(workspace) }
        let output = OutputTail()
        let command = Command(
            "/usr/bin/true", [], environment: [:], workingDirectory: workspace.inside(.source), network: false,
            writable: [.output], timeLimit: Self.probeSeconds)
        let outcome = try await runner(for: workspace, slot: 0, limits: BuildLimits()).run(command) { output.add($1) }
        guard outcome.succeeded else {
            throw SandboxDiagnosis.failure(output: output.text, folder: folder, separatesUsers: host.separatesUsers)
        }
    }
}
