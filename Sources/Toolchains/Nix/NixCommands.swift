// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Foundation
internal import Provenance
internal import StrictJSON

/// Nix's command lines, and what their answers mean. They are those of Nix 2.8 and later (2.8.0, 2.26.3 and 2.34.8
/// were tried); nothing that is written for people decides more than how a failure is called.
struct NixCommands: Sendable {
    let toolchain: NixToolchain
    let steps: any BuildSteps
    /// Whether Nix confines each derivation.
    let confines: Bool

    init(_ toolchain: NixToolchain, _ steps: any BuildSteps, confines: Bool) {
        self.toolchain = toolchain
        self.steps = steps
        self.confines = confines
    }

    var installation: NixInstallation { toolchain.installation }

    /// Far more than it takes, also where the processor is emulated and busy.
    private static let probeSeconds = 120

    /// Whether a command of the sandbox can make the namespaces and mounts that Nix's own sandbox is made of.
    static func canConfine(_ steps: any BuildSteps) async throws(BuildFailure) -> Bool {
        let command = Command(
            "/usr/bin/unshare",
            [
                "--user", "--map-root-user", "--mount", "--pid", "--ipc", "--uts", "--net", "--fork", "--mount-proc",
                "/usr/bin/true",
            ],
            environment: ["PATH": "/usr/bin:/bin"], workingDirectory: steps.workspace.inside(.source), network: false,
            writable: [], timeLimit: Self.probeSeconds, nestsNamespaces: true)
        return try await steps.ask(command, limit: 1 << 16).outcome.succeeded
    }

    func realise(_ derivations: [NixStorePath], options: [String], network: Bool) -> Command {
        command(
            installation.store, ["--realise", "--no-gc-warning"] + options + derivations.map(\.description),
            network: network, nests: true)
    }

    func command(_ program: String, _ arguments: [String], network: Bool, nests: Bool = false) -> Command {
        let workspace = steps.workspace
        return Command(
            program, arguments, environment: environment(network: network),
            workingDirectory: workspace.inside(.source), network: network, writable: [.output, .home, .temporary],
            timeLimit: 3600, mounts: [NixStore.mount], nestsNamespaces: nests && confines)
    }

    // MARK: Settings

    /// Everything that Nix would read from files of the machine or of a user; unknown names are ignored by Nix. Of
    /// programs, Nix finds git alone: what other tools do with a repository that a project brings is not known here.
    private func environment(network: Bool) -> [String: String] {
        [
            // A repository that a project brings may name programs in its settings: git fetches from servers only.
            "GIT_ALLOW_PROTOCOL": "https:http",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": steps.workspace.inside(.home),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "NIX_CONFIG": configuration.map { "\($0) = \($1)" }.joined(separator: "\n"),
            "NIX_SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
            "NIX_USER_CONF_FILES": "/dev/null",
            "PATH": "\(steps.workspace.inside(.dependencies))/\(Self.programs)",
            "SOURCE_DATE_EPOCH": String(toolchain.project.sourceDateEpoch),
            "TZ": "UTC",
            // Nix hands repositories of the local file system to git as it does those of servers.
            "_NIX_FORCE_HTTP": "1",
        ]
    }

    /// The folder of the programs that Nix finds, in the workspace's part for dependencies, which no command here may
    /// write.
    private static let programs = "programs"

    /// Makes that folder.
    static func makePrograms(in workspace: Workspace) throws(BuildFailure) {
        let parent = workspace.path(.dependencies)
        do {
            try ProjectFiles.makeFolder("\(parent)/\(programs)", like: parent)
            try ProjectFiles.makeLink("\(parent)/\(programs)/git", to: "/usr/bin/git")
        } catch {
            throw BuildFailure(.internal, "the folder of programs for Nix could not be made: \(error.reason)")
        }
    }

    private var configuration: [(name: String, value: String)] {
        [
            ("experimental-features", "nix-command flakes"), ("store", "local"), ("build-users-group", ""),
            ("sandbox", String(confines)), ("sandbox-fallback", "false"), ("substitute", "false"),
            ("substituters", ""), ("builders", ""), ("hashed-mirrors", ""), ("allow-import-from-derivation", "false"),
            ("accept-flake-config", "false"), ("flake-registry", ""), ("use-registries", "false"),
            ("eval-cache", "false"), ("max-jobs", "auto"), ("connect-timeout", "30"), ("warn-dirty", "false"),
            ("sandbox-paths", installation.shell.map { "/bin/sh=\($0)" } ?? ""),
        ]
    }
}
