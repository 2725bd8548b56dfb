// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Foundation
internal import Provenance
internal import StrictJSON

/// Nix's command lines, and what their answers mean. They are those of Nix 2.4 and later; nothing that is written for
/// people decides more than how a failure is called.
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

    private var installation: NixInstallation { toolchain.installation }

    /// Whether a command of the sandbox can make the namespaces and mounts that Nix's own sandbox is made of.
    static func canConfine(_ steps: any BuildSteps) async throws(BuildFailure) -> Bool {
        let command = Command(
            "/usr/bin/unshare",
            [
                "--user", "--map-root-user", "--mount", "--pid", "--ipc", "--uts", "--net", "--fork", "--mount-proc",
                "/usr/bin/true",
            ],
            environment: ["PATH": "/usr/bin:/bin"], workingDirectory: steps.workspace.inside(.source), network: false,
            writable: [], timeLimit: 20, nestsNamespaces: true)
        return try await steps.ask(command, limit: 1 << 16).outcome.succeeded
    }

    /// Tells the new store of paths that are there already.
    func register(_ paths: String) async throws(BuildFailure) {
        guard !paths.isEmpty else { return }
        let file = "given-store-paths"
        do {
            try ProjectFiles.write(paths, to: "\(steps.workspace.path(.home))/\(file)")
        } catch {
            throw BuildFailure(.internal, "the build's Nix store could not be made: \(error.reason)")
        }
        let script = "exec \(installation.store) --load-db < \(steps.workspace.inside(.home))/\(file)"
        let answer = try await steps.ask(command("/bin/sh", ["-c", script], network: false), limit: 1 << 16)
        guard answer.outcome.succeeded else {
            throw BuildFailure(.internal, NixFailure.text("the build's Nix store could not be made", answer))
        }
    }

    // MARK: Evaluation

    /// Evaluates the flake, with network for what its lockfile pins, and without building anything.
    ///
    /// Throws `LockfileError` where the lockfile does not fit, `UnpinnedDependencyError` where something is to be had
    /// that nothing pins, `UnsupportedToolchainError` where something would have to be built first, `BuildError` for
    /// other faults of the flake.
    ///
    /// - Parameter lock: the lockfile; `nil` where there is none.
    func evaluate(_ lock: FlakeLock?) async throws(BuildFailure) -> NixTarget {
        let reference = try await checkLockfile(lock)
        let attribute = toolchain.settings.attribute
        let installable = reference + (attribute.map { "#" + $0 } ?? "")
        let evaluated = try await steps.prepare(
            command(
                installation.nix, ["eval", "--json"] + Self.locked + [installable, "--apply", Self.question],
                network: true),
            phase: "fetch", answer: true)
        guard evaluated.outcome.succeeded else { throw NixFailure.evaluation(evaluated) }
        return try target(from: evaluated.standardOutput, attribute: attribute)
    }

    private static let locked = ["--no-update-lock-file", "--no-write-lock-file"]

    /// Whether the lockfile fits is decided without network: one that does leaves nothing to look up. Returns the flake
    /// as Nix names it.
    private func checkLockfile(_ lock: FlakeLock?) async throws(BuildFailure) -> String {
        var failure: BuildFailure?
        for reference in references {
            let metadata = try await steps.prepare(
                command(
                    installation.nix, ["flake", "metadata", "--json", "--offline"] + Self.locked + [reference],
                    network: false),
                phase: "prepare", answer: true)
            guard metadata.outcome.succeeded else {
                failure = NixFailure.lockfile(metadata)
                continue
            }
            try Self.check(lock, against: metadata.standardOutput)
            return reference
        }
        throw failure ?? NixFailure.unfitLockfile
    }

    /// Nix only warns where it goes on with inputs that it has locked anew itself. So what it will use is compared with
    /// what the lockfile pins.
    private static func check(_ lock: FlakeLock?, against metadata: [UInt8]) throws(BuildFailure) {
        let used: FlakeLock
        do {
            let json = try JSONValue(parsing: metadata.last == 0x0A ? metadata.dropLast() : metadata)
            guard let locks = json["locks"] else {
                throw BuildFailure(.internal, "Nix's answer about the flake has no 'locks'")
            }
            used = try FlakeLock(parsing: locks.canonicalBytes)
        } catch {
            throw (error as? BuildFailure)
                ?? BuildFailure(.internal, "Nix's answer about the flake could not be read: \(error)")
        }
        let fits = used.rootInputs == lock?.rootInputs ?? [] && used.inputs == lock?.inputs ?? []
        guard fits else { throw NixFailure.unfitLockfile }
    }

    /// What is asked of the package: an expression of ours, so that the answer has the same form with every Nix.
    private static let question =
        "package: { inherit (package) drvPath system; "
        + "outputs = package.meta.outputsToInstall or [ package.outputName ]; }"

    /// What Nix may name the flake. The whole tree is one source, wherever in it the flake is; but older versions, such
    /// as 2.8, know no folders within a tree, and take the flake's own folder alone.
    private var references: [String] {
        let directory = PercentEncoding.encode(toolchain.project.directory, keeping: "/")
        let root = "path:\(steps.workspace.inside(.source))"
        return directory.isEmpty ? [root] : ["\(root)?dir=\(directory)", "\(root)/\(directory)"]
    }

    private func target(from answer: [UInt8], attribute: String?) throws(BuildFailure) -> NixTarget {
        do {
            let json = try JSONValue(parsing: answer.last == 0x0A ? answer.dropLast() : answer)
            let outputs = json["outputs"]?.arrayValue?.compactMap(\.stringValue) ?? []
            guard let path = json["drvPath"]?.stringValue,
                let system = json["system"]?.stringValue, !outputs.isEmpty, Set(outputs).count == outputs.count
            else { throw BuildFailure(.build, "the attribute to build is no package") }
            return NixTarget(
                derivation: try NixStorePath(path), system: system, attribute: attribute,
                outputNames: outputs, confines: confines)
        } catch {
            throw (error as? BuildFailure)
                ?? BuildFailure(.build, "Nix's answer about the package could not be read: \(error)")
        }
    }

    // MARK: Realisation

    /// Asks the operator's caches for what the build needs, without building anything. Returns what came from them; what
    /// was refused of what they sent is not to be found in `store` afterwards.
    func substitute(_ plan: NixPlan, _ store: inout NixStore) async throws(BuildFailure) -> Set<NixStorePath> {
        let settings = steps.settings.nix
        guard !settings.substituters.isEmpty else { return [] }
        let before = try store.contents()
        let inputs = plan.derivations[plan.top]?.inputDerivations.map(\.path).sorted() ?? []
        try await ask(inputs, settings)
        // What is still to be fetched may need programs that the caches have.
        try await disregardInvalid(beside: before, &store)
        let missing = plan.missing(in: store)
        try await ask(plan.fixed(among: missing), settings)
        try await disregardInvalid(beside: before, &store)
        let known = Set(plan.fixed(among: Set(plan.derivations.keys)).flatMap { plan.outputPaths(of: $0) })
        return try store.contents().subtracting(before).subtracting(known)
    }

    /// Nix leaves in its store what it unpacked and then found to differ from what was signed.
    private func disregardInvalid(
        beside before: Set<NixStorePath>, _ store: inout NixStore
    ) async throws(BuildFailure) {
        let new = try store.contents().subtracting(before).sorted()
        guard !new.isEmpty else { return }
        let answer = try await steps.ask(
            command(
                installation.store, ["--check-validity", "--print-invalid"] + new.map(\.description), network: false),
            limit: 16 << 20)
        guard answer.outcome.succeeded else {
            throw BuildFailure(.internal, NixFailure.text("Nix could not say what its store has", answer))
        }
        let lines = String(decoding: answer.standardOutput, as: UTF8.self).split(separator: "\n")
        store.disregard(Set(lines.compactMap { try? NixStorePath(String($0)) }))
    }

    /// Where a cache does not have something, this fails, and it is built here.
    private func ask(_ derivations: [NixStorePath], _ settings: NixHostSettings) async throws(BuildFailure) {
        guard !derivations.isEmpty else { return }
        let options = [
            "--keep-going", "--option", "max-jobs", "0", "--option", "substitute", "true", "--option", "substituters",
            settings.substituters.joined(separator: " "), "--option", "require-sigs", "true", "--option",
            "trusted-public-keys", settings.trustedPublicKeys.joined(separator: " "),
        ]
        _ = try await steps.prepare(
            realise(derivations, options: options, network: true), phase: "substitute", answer: true)
    }

    /// Fetches all that has a known hash, and builds before that, without network, the programs that fetch.
    ///
    /// Throws `InputVerificationError` where something else was found than promised, `SourceError` where it cannot be
    /// had, `BuildError` where a program that fetches cannot be built.
    func realise(_ plan: NixPlan, _ store: NixStore) async throws(BuildFailure) {
        let stages = plan.stages(for: plan.missing(in: store))
        for stage in stages where stage.network { try checkPrograms(of: stage, plan) }
        for stage in stages {
            if stage.network { try await steps.check(plan.addresses(of: stage.derivations)) }
            let command = realise(stage.derivations, options: [], network: stage.network)
            let answer = try await steps.prepare(
                command, phase: stage.network ? "fetch" : "prepare", answer: true)
            guard answer.outcome.succeeded else {
                throw stage.network
                    ? NixFailure.download(answer)
                    : BuildFailure(.build, NixFailure.text("a program that fetches could not be built", answer))
            }
        }
    }

    /// Nix's own downloads go where they say. A program may go anywhere, and without Nix's sandbox it could also put
    /// what it found there in the place of what is to be built.
    private func checkPrograms(of stage: NixPlan.Stage, _ plan: NixPlan) throws(BuildFailure) {
        guard !confines || !steps.settings.nix.allowsFetchPrograms else { return }
        guard let program = stage.derivations.first(where: { plan.derivations[$0]?.isBuiltin == false }) else { return }
        let reason =
            confines
            ? "the operator can allow it with nix.fetch_programs = \"any\""
            : "it could be allowed only where Nix's own sandbox works"
        throw BuildFailure(
            .unsupportedToolchain,
            "the download '\(shown(program.name))' is made by a program of the project, with network, which this server "
                + "does not run; use builtins.fetchurl or builtin:fetchurl, or \(reason)")
    }

    /// The build phase.
    func buildCommand(_ target: NixTarget) -> Command {
        realise([target.derivation], options: toolchain.settings.arguments, network: false)
    }

    /// All store paths that `paths` name, directly or not, themselves included.
    func requisites(of paths: [NixStorePath]) async throws(BuildFailure) -> [NixStorePath] {
        let command = command(
            installation.store, ["--query", "--requisites"] + paths.map(\.description), network: false)
        let answer = try await steps.ask(command, limit: 16 << 20)
        guard answer.outcome.succeeded else {
            throw BuildFailure(.artifact, NixFailure.text("Nix could not say what the artifacts need", answer))
        }
        var found: [NixStorePath] = []
        for line in String(decoding: answer.standardOutput, as: UTF8.self).split(separator: "\n") {
            do {
                found.append(try NixStorePath(String(line)))
            } catch {
                throw BuildFailure(.artifact, "Nix could not say what the artifacts need: \(error)")
            }
        }
        return found.sorted()
    }

    private func realise(_ derivations: [NixStorePath], options: [String], network: Bool) -> Command {
        command(
            installation.store, ["--realise", "--no-gc-warning"] + options + derivations.map(\.description),
            network: network, nests: true)
    }

    private func command(_ program: String, _ arguments: [String], network: Bool, nests: Bool = false) -> Command {
        let workspace = steps.workspace
        return Command(
            program, arguments, environment: environment(network: network),
            workingDirectory: workspace.inside(.source), network: network, writable: [.output, .home, .temporary],
            timeLimit: 3600, mounts: [NixStore.mount], nestsNamespaces: nests && confines)
    }

    // MARK: Settings

    /// Everything that Nix would read from files of the machine or of a user; unknown names are ignored by Nix.
    private func environment(network: Bool) -> [String: String] {
        let programs = installation.programs
        return [
            "HOME": steps.workspace.inside(.home),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "NIX_CONFIG": configuration.map { "\($0) = \($1)" }.joined(separator: "\n"),
            "NIX_SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
            "PATH": programs == "/usr/bin" ? "/usr/bin:/bin" : "\(programs):/usr/bin:/bin",
            "SOURCE_DATE_EPOCH": String(toolchain.project.sourceDateEpoch),
            "TZ": "UTC",
        ]
    }

    private var configuration: [(name: String, value: String)] {
        var settings = [
            ("experimental-features", "nix-command flakes"), ("store", "local"), ("build-users-group", ""),
            ("sandbox", String(confines)), ("sandbox-fallback", "false"), ("substitute", "false"),
            ("substituters", ""), ("builders", ""), ("allow-import-from-derivation", "false"),
            ("accept-flake-config", "false"), ("flake-registry", ""), ("use-registries", "false"),
            ("eval-cache", "false"), ("max-jobs", "auto"), ("connect-timeout", "30"), ("warn-dirty", "false"),
        ]
        settings.append(("sandbox-paths", installation.shell.map { "/bin/sh=\($0)" } ?? ""))
        return settings
    }
}
