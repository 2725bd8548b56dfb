// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

extension NixCommands {
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
        var invalid: Set<NixStorePath> = []
        for batch in NixPlan.batches(try store.contents().subtracting(before).sorted()) {
            let answer = try await steps.ask(
                command(
                    installation.store, ["--check-validity", "--print-invalid"] + batch.map(\.description),
                    network: false), limit: 16 << 20)
            guard answer.outcome.succeeded else {
                throw BuildFailure(.internal, NixFailure.text("Nix could not say what its store has", answer))
            }
            invalid.formUnion(try Self.paths(in: answer, "Nix could not say what its store has", .internal))
        }
        store.disregard(invalid)
    }

    /// Where a cache does not have something, this fails, and it is built here.
    private func ask(_ derivations: [NixStorePath], _ settings: NixHostSettings) async throws(BuildFailure) {
        let options = [
            "--keep-going", "--option", "max-jobs", "0", "--option", "substitute", "true", "--option", "substituters",
            settings.substituters.joined(separator: " "), "--option", "require-sigs", "true", "--option",
            "trusted-public-keys", settings.trustedPublicKeys.joined(separator: " "),
        ]
        for batch in NixPlan.batches(derivations) {
            _ = try await steps.prepare(
                realise(batch, options: options, network: true), phase: "substitute", answer: true)
        }
    }

    /// Fetches all that has a known hash, and builds before that, without network, the programs that fetch.
    ///
    /// Throws `InputVerificationError` where something else was found than promised, `SourceError` where it cannot be
    /// had, `BuildError` where a program that fetches cannot be built.
    ///
    /// - Parameter watched: what came from a cache, with the digest that it had then.
    func realise(
        _ plan: NixPlan, _ store: NixStore, watched: [NixStorePath: Digest256]
    ) async throws(BuildFailure) {
        let stages = try plan.stages(for: plan.missing(in: store))
        for stage in stages where stage.network { try checkPrograms(of: stage, plan) }
        var watched = watched
        for stage in stages {
            if stage.network { try await steps.check(try plan.addresses(of: stage.derivations)) }
            let answer = try await steps.prepare(
                realise(stage.derivations, options: [], network: stage.network),
                phase: stage.network ? "fetch" : "prepare", answer: true)
            guard answer.outcome.succeeded else {
                throw stage.network
                    ? NixFailure.download(answer)
                    : BuildFailure(.build, NixFailure.text("a program that fetches could not be built", answer))
            }
            if !stage.network {
                // What was refused of a cache may have been built just now: then it counts as what it is now.
                let present = try store.contents(withDisregarded: true).subtracting(plan.contentAddressed)
                let new = present.filter { watched[$0] == nil || store.disregards($0) }
                watched.merge(try await store.digests(of: new)) { _, now in now }
            } else if stage.derivations.contains(where: { plan.derivations[$0]?.isBuiltin == false }) {
                try await check(watched, in: store)
            }
        }
    }

    /// A program that fetches could write to what it is given, as all belongs to one user. What has a known hash is
    /// compared with it later; what was built or came from a cache is compared with what it was before.
    private func check(_ watched: [NixStorePath: Digest256], in store: NixStore) async throws(BuildFailure) {
        let found = try await store.digests(of: Set(watched.keys))
        if let path = watched.keys.sorted().first(where: { found[$0] != watched[$0] }) {
            throw BuildFailure(
                .inputVerification, "\(path) was changed by a program that fetches; a download may only make itself")
        }
    }

    /// Nix's own downloads go where they say. A program may go anywhere, and without Nix's sandbox it could also put
    /// what it found there in the place of what is to be built.
    private func checkPrograms(of stage: NixPlan.Stage, _ plan: NixPlan) throws(BuildFailure) {
        guard !confines || !steps.settings.nix.allowsFetchPrograms else { return }
        let programs = stage.derivations.compactMap { plan.derivations[$0] }.filter { !$0.isBuiltin }
        guard let program = programs.first else { return }
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
        return try Self.paths(in: answer, "Nix could not say what the artifacts need", .artifact).sorted()
    }

    /// One store path on each line; a line that is none is a failure of this kind.
    private static func paths(
        in answer: CommandAnswer, _ what: String, _ kind: BuildFailure.Kind
    ) throws(BuildFailure) -> [NixStorePath] {
        var paths: [NixStorePath] = []
        for line in String(decoding: answer.standardOutput, as: UTF8.self).split(separator: "\n") {
            do {
                paths.append(try NixStorePath(String(line)))
            } catch {
                throw BuildFailure(kind, "\(what): \(error)")
            }
        }
        return paths
    }
}
