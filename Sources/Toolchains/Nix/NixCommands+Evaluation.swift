// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Provenance
internal import StrictJSON

extension NixCommands {
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

    /// Evaluates the flake, with network for what its lockfile pins, and without building anything.
    ///
    /// Throws `LockfileError` where the lockfile does not fit, `UnpinnedDependencyError` where something is to be had
    /// that nothing pins, `UnsupportedToolchainError` where something would have to be built first, `BuildError` for
    /// other faults of the flake.
    ///
    /// - Parameter lock: the lockfile; `nil` where there is none.
    func evaluate(_ lock: FlakeLock?) async throws(BuildFailure) -> NixTarget {
        let reference = try await checkLockfile(lock)
        if !(lock?.dependencies.isEmpty ?? true) { try await fetchInputs(of: reference) }
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

    /// Fetches all that the lockfile pins before anything is evaluated: in a store that has nothing yet, Nix must ask
    /// each origin for it, so that an input is what it is said to be and comes from where it is said to.
    private func fetchInputs(of reference: String) async throws(BuildFailure) {
        let archived = try await steps.prepare(
            command(installation.nix, ["flake", "archive", "--json"] + Self.locked + [reference], network: true),
            phase: "fetch", answer: true)
        guard archived.outcome.succeeded else { throw NixFailure.inputs(archived) }
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
        "package: { inherit (package) drvPath; "
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
            guard let path = json["drvPath"]?.stringValue, !outputs.isEmpty, Set(outputs).count == outputs.count else {
                throw BuildFailure(
                    .build, "the attribute to build is no package; name one by 'attribute' of [nix] in cupel.toml")
            }
            return NixTarget(
                derivation: try NixStorePath(path), attribute: attribute, outputNames: outputs, confines: confines)
        } catch {
            throw (error as? BuildFailure)
                ?? BuildFailure(.build, "Nix's answer about the package could not be read: \(error)")
        }
    }
}
