// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
internal import Provenance
internal import SourceTrees
internal import StrictJSON

/// Builds projects that have a `flake.nix`.
///
/// The flake is evaluated, and what has a known hash is fetched; then the rest is built without network. Both happen in
/// a store of the build's own. The derivations that Nix wrote are read and followed here, and every source and every
/// download is compared with the hash that its store path or its derivation promises: nothing that Nix says of them is
/// believed.
public struct NixToolchain: Toolchain {
    public static let name = "nix"
    public static let buildType = "https://github.com/cupel-build/cupel/blob/main/docs/build-types/nix-v1.md"
    public static let marker = "flake.nix"

    let project: Project
    let settings: NixSettings
    let installation: NixInstallation
    private var lockfile: FlakeLock?
    private var target: NixTarget?

    public static func detect(in folder: String) -> Bool { ProjectFiles.exists(folder + "/flake.nix") }

    public init(_ project: Project) throws(BuildFailure) {
        try self.init(project, installation: try NixInstallation.find())
    }

    init(_ project: Project, installation: NixInstallation) throws(BuildFailure) {
        self.project = project
        self.installation = installation
        settings = try NixSettings(project.settings.table(of: Self.name))
    }

    public var mounts: [ReadOnlyFolder] {
        installation.storePaths.map {
            let path = "\(NixStorePath.standardDirectory)/\($0)"
            return ReadOnlyFolder(host: path, inside: path)
        }
    }

    public mutating func lock() throws(BuildFailure) -> LockedInputs {
        guard let bytes = try read("flake.lock") else {
            // A flake that has no inputs needs none; whether it has any, Nix will tell.
            let flake = try read("flake.nix") ?? []
            return LockedInputs(lockfile: Self.lockfile("flake.nix", flake), dependencies: [], hosts: [])
        }
        let lock = try FlakeLock(parsing: bytes)
        try lock.refuseSharedHashes(in: project.folder)
        lockfile = lock
        return LockedInputs(
            lockfile: Self.lockfile("flake.lock", bytes), dependencies: lock.dependencies, hosts: lock.hosts)
    }

    private static func lockfile(_ name: String, _ bytes: [UInt8]) -> ResourceDescriptor {
        ResourceDescriptor(name: name, digest: ["sha256": Digest256(of: bytes).hex])
    }

    private func read(_ name: String) throws(BuildFailure) -> [UInt8]? {
        guard ProjectFiles.kind(of: "\(project.folder)/\(name)") != .other else { return nil }
        guard let path = ProjectFiles.confined(name, from: project.folder, root: project.sourceRoot) else {
            throw BuildFailure(.lockfile, "\(name) is a link that leads out of the source tree, or nowhere")
        }
        do {
            return try ProjectFiles.read(path, limit: FlakeLock.maximumSize)
        } catch {
            throw BuildFailure(.lockfile, "\(name) cannot be read: \(error.reason)")
        }
    }

    public mutating func fetch(_ steps: any BuildSteps) async throws(BuildFailure) -> FetchedInputs {
        let confines = try await prepareStore(steps)
        let commands = NixCommands(self, steps, confines: confines)
        try await commands.register(try await givenPaths(steps))
        var target = try await commands.evaluate(lockfile)
        let store = store(steps)
        let top = target.derivation
        let (plan, evaluated) = try await onOwnThread { () throws(BuildFailure) in
            let plan = try NixPlan(top: top, in: store)
            try plan.refuseForeignOutputs(in: store)
            return (plan, try store.contents())
        }
        target.system = plan.derivations[top]?.system ?? ""
        target.outputs = try plan.outputs(named: target.outputNames)
        var trusted = store
        let substituted = try await commands.substitute(plan, &trusted)
        let digests = try await store.digests(of: substituted)
        try await commands.realise(plan, trusted, watched: digests)
        self.target = target
        let inputs = NixInputs(
            plan: plan, store: store, evaluated: evaluated, substituted: digests, lock: lockfile, project: project,
            caches: steps.settings.nix.substituters)
        let dependencies = try await onOwnThread { () throws(BuildFailure) in try inputs.verify() }
        return FetchedInputs(
            dependencies: dependencies, parameters: target.parameters(substituters: steps.settings.nix.substituters))
    }

    private func store(_ steps: any BuildSteps) -> NixStore {
        NixStore(steps.workspace, given: installation.storePaths)
    }

    /// Returns whether Nix can confine each derivation in a sandbox of its own, within ours.
    private func prepareStore(_ steps: any BuildSteps) async throws(BuildFailure) -> Bool {
        guard steps.workspace.mountPoint != steps.workspace.root else {
            throw BuildFailure(
                .unsupportedToolchain,
                "Nix builds need the sandbox, as the store must be at /nix; the operator can set sandbox = true")
        }
        let output = steps.workspace.path(.output)
        do {
            try ProjectFiles.makeFolder("\(output)/\(NixStore.folder)", like: output)
        } catch {
            throw BuildFailure(.internal, "the build's Nix store could not be made: \(error.reason)")
        }
        try NixCommands.makePrograms(in: steps.workspace)
        try SourceTimes.set(project.sourceRoot, to: project.sourceDateEpoch)
        let confines = try await NixCommands.canConfine(steps)
        guard confines || !steps.settings.nix.requiresSandbox else {
            throw BuildFailure(
                .sandbox,
                "Nix's own sandbox needs nested user namespaces, which this machine does not allow; the operator can "
                    + "allow them, or set nix.sandbox = \"auto\"")
        }
        if !confines {
            try steps.note("Nix cannot confine each derivation on this machine: the builder's sandbox alone does")
        }
        return confines
    }

    public mutating func build(_ steps: any BuildSteps) async throws(BuildFailure) {
        guard let target else { throw BuildFailure(.internal, "there is nothing to build yet") }
        let commands = NixCommands(self, steps, confines: target.confines)
        let outcome = try await steps.build(commands.buildCommand(target)) { Array($0) }
        guard outcome.succeeded else {
            throw BuildFailure(.build, "nix-store failed with status \(outcome.status); the build log says why")
        }
    }

    public func collect(_ steps: any BuildSteps) async throws(BuildFailure) -> CollectedFiles {
        guard let target else { throw BuildFailure(.internal, "there is nothing to collect yet") }
        let commands = NixCommands(self, steps, confines: target.confines)
        let needed = try await commands.requisites(of: target.outputs.map(\.path))
        let outputs = NixOutputs(store: store(steps), named: target.outputs)
        return try await onOwnThread { () throws(BuildFailure) in try outputs.collect(needed: needed) }
    }
}

/// What is to be built.
struct NixTarget: Hashable, Sendable {
    struct Output: Hashable, Sendable {
        let name: String
        let path: NixStorePath
    }

    let derivation: NixStorePath
    /// Such as `x86_64-linux`.
    var system = ""
    /// As an installable names it, after the `#`.
    let attribute: String?
    let outputNames: [String]
    /// Whether Nix confines each derivation.
    let confines: Bool
    var outputs: [Output] = []

    /// For the provenance.
    func parameters(substituters: [String]) -> [String: JSONValue] {
        var parameters: [String: JSONValue] = [
            "derivation": .string(derivation.description), "system": .string(system),
            "outputs": .object(
                Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, .string($0.path.description)) })),
            "sandbox": .bool(confines),
            "substituters": .array(substituters.map(JSONValue.string)),
        ]
        parameters["attribute"] = attribute.map(JSONValue.string)
        return parameters
    }
}

extension NixPlan {
    /// Throws `BuildError` where the top derivation has no output of a name.
    func outputs(named names: [String]) throws(BuildFailure) -> [NixTarget.Output] {
        var outputs: [NixTarget.Output] = []
        for name in names {
            guard let output = derivations[top]?.outputs.first(where: { $0.name == name }) else {
                throw BuildFailure(
                    .build,
                    "the package's derivation has no output '\(shown(name))', which its meta.outputsToInstall names; "
                        + "correct that, or give the derivation the output")
            }
            outputs.append(NixTarget.Output(name: name, path: output.path))
        }
        return outputs
    }
}
