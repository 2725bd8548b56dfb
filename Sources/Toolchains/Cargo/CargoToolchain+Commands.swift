// SPDX-License-Identifier: Apache-2.0
package import Builds

extension CargoToolchain {
    /// The fetch phase: with network, and without anything of the project being run. Time limits are the caller's to
    /// set; these are an hour.
    package func fetchCommand(workspace: Workspace) -> Command {
        var environment = environment(workspace)
        environment["CARGO_NET_OFFLINE"] = "false"
        return Command(
            cargo(workspace), ["fetch", "--locked"], environment: environment,
            workingDirectory: project.inside(workspace), network: true,
            writable: [.dependencies, .home, .temporary], timeLimit: 3600)
    }

    /// The build phase: without network; sources and downloads are read-only.
    package func buildCommand(workspace: Workspace) -> Command {
        buildCommand(settings.buildArguments, workspace)
    }

    /// The build phase with one compiler at a time.
    func serialBuildCommand(workspace: Workspace) -> Command { buildCommand(settings.serialBuildArguments, workspace) }

    private func buildCommand(_ arguments: [String], _ workspace: Workspace) -> Command {
        var environment = environment(workspace)
        environment["CARGO_NET_OFFLINE"] = "true"
        return Command(
            cargo(workspace),
            ["build", "--locked", "--offline"] + arguments
                + ["--message-format=json-render-diagnostics"],
            environment: environment, workingDirectory: project.inside(workspace), network: false,
            writable: [.output, .home, .temporary], timeLimit: 3600)
    }

    func cargo(_ workspace: Workspace) -> String { installation.inside(workspace) + "/bin/cargo" }

    func rustc(_ workspace: Workspace) -> String { installation.inside(workspace) + "/bin/rustc" }

    /// The whole environment of every command. What it says overrides a project's `.cargo/config.toml`.
    func environment(_ workspace: Workspace) -> [String: String] {
        let binaries = installation.inside(workspace) + "/bin"
        var environment = [
            "CARGO_BUILD_RUSTC": rustc(workspace),
            "CARGO_CACHE_AUTO_CLEAN_FREQUENCY": "never",
            "CARGO_HOME": workspace.inside(.dependencies),
            "CARGO_INCREMENTAL": "0",
            "CARGO_NET_GIT_FETCH_WITH_CLI": "false",
            "CARGO_TARGET_DIR": workspace.inside(.output),
            "CARGO_TERM_COLOR": "never",
            "CARGO_TERM_PROGRESS_WHEN": "never",
            "HOME": workspace.inside(.home),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "PATH": binaries == "/usr/bin" ? "/usr/bin:/bin" : "\(binaries):/usr/bin:/bin",
            "SOURCE_DATE_EPOCH": String(project.sourceDateEpoch),
            "TZ": "UTC",
        ]
        // In a sandbox the temporary part is /tmp.
        if workspace.mountPoint == workspace.root { environment["TMPDIR"] = workspace.inside(.temporary) }
        return environment
    }

    /// Why `cargo fetch` failed, from the last lines that it printed.
    package func fetchFailure(status: Int32, output: [String]) -> BuildFailure {
        let lines = output.map { $0.trimmingPrefix(while: \.isWhitespace) }.filter { !$0.isEmpty }
        let errors = lines.filter { $0.hasPrefix("error: ") }.map { $0.dropFirst(7) }
        let first = errors.first ?? lines.last ?? "no reason given"
        let whole = lines.joined(separator: " ").lowercased()
        let reason = shown(String(first))
        if whole.contains("--locked was passed") || whole.contains("lock file") && whole.contains("needs to be updated")
        {
            return BuildFailure(
                .lockfile,
                "Cargo.lock does not fit the manifests; run cargo update --workspace and add it to the source")
        }
        if whole.contains("failed to parse lock file") { return BuildFailure(.lockfile, reason) }
        if whole.contains("checksum") { return BuildFailure(.inputVerification, reason) }
        if whole.contains("failed to parse manifest") || whole.contains("failed to load manifest") {
            return BuildFailure(.build, reason)
        }
        let detail =
            shown(String(lines.last ?? "")).isEmpty || lines.last == first
            ? "" : " (\(shown(String(lines.last ?? ""))))"
        return BuildFailure(
            .source, "the dependencies could not be fetched, cargo ended with status \(status): \(reason)\(detail)")
    }
}
