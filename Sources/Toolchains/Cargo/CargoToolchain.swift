// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
internal import SourceTrees
internal import Synchronization

/// Builds projects that have a `Cargo.toml`.
public struct CargoToolchain: Toolchain {
    public static let name = "cargo"
    public static let buildType = "https://github.com/cupel-build/cupel/blob/main/docs/build-types/cargo-v1.md"
    public static let marker = "Cargo.toml"

    /// The toolchain that will build.
    package let installation: RustInstallation
    let project: Project
    let settings: CargoSettings
    let configuration: CargoConfiguration
    private var resolved: [ResolvedPackage] = []
    private var messages = CargoMessages()

    public static func detect(in folder: String) -> Bool {
        ProjectFiles.exists(folder + "/Cargo.toml")
    }

    public init(_ project: Project) throws(BuildFailure) { try self.init(project, places: .standard) }

    package init(_ project: Project, places: RustPlaces) throws(BuildFailure) {
        self.project = project
        settings = try CargoSettings(project.settings.table(of: Self.name))
        try Self.refuseFilesAbove(project)
        configuration = try CargoConfiguration.read(in: project.folder, sourceRoot: project.sourceRoot)
        installation = try RustInstallation.find(for: project.folder, in: places)
    }

    /// Cargo looks for settings and workspaces in all folders above a project.
    private static func refuseFilesAbove(_ project: Project) throws(BuildFailure) {
        for folder in project.settings.enclosingFolders.dropFirst() {
            for name in ["Cargo.toml", ".cargo", "rust-toolchain", "rust-toolchain.toml"] {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                guard ProjectFiles.exists("\(project.sourceRoot)/\(path)") else { continue }
                throw BuildFailure(
                    .unsupportedToolchain,
                    "'\(shown(path))' stands above the directory '\(project.directory)' that cupel.toml names, and Cargo "
                        + "would read it; leave 'directory' out, and choose by 'packages' in [cargo]")
            }
        }
    }

    public var mounts: [ReadOnlyFolder] {
        installation.isSystem
            ? [] : [ReadOnlyFolder(host: installation.sysroot, inside: RustInstallation.mountPoint)]
    }

    public mutating func lock() throws(BuildFailure) -> LockedInputs {
        let bytes = try lockfileBytes(in: project.folder)
        let lockfile = try CargoLockfile(parsing: bytes)
        try CargoManifests.check(project: project.folder, sourceRoot: project.sourceRoot)
        var resolution = LockResolution(configuration: configuration)
        resolved = try resolution.resolve(lockfile)
        return resolution.inputs(of: resolved, bytes: bytes)
    }

    private func lockfileBytes(in folder: String) throws(BuildFailure) -> [UInt8] {
        guard ProjectFiles.kind(of: folder + "/Cargo.lock") != .other else {
            throw BuildFailure(
                .lockfile,
                "Cargo.lock is missing beside Cargo.toml; run cargo generate-lockfile and add it to the source")
        }
        guard let path = ProjectFiles.confined("Cargo.lock", from: folder, root: project.sourceRoot) else {
            throw BuildFailure(.lockfile, "Cargo.lock is a link that leads out of the source tree, or nowhere")
        }
        do {
            return try ProjectFiles.read(path, limit: CargoLockfile.maximumSize) ?? []
        } catch {
            throw BuildFailure(.lockfile, "Cargo.lock cannot be read: \(error.reason)")
        }
    }

    public mutating func fetch(_ steps: any BuildSteps) async throws(BuildFailure) -> FetchedInputs {
        let command = fetchCommand(workspace: steps.workspace)
        let answer = try await steps.prepare(command, phase: "fetch", answer: false)
        guard answer.outcome.succeeded else {
            throw fetchFailure(status: answer.outcome.status, output: answer.lines)
        }
        let (toolchain, workspace) = (self, steps.workspace)
        try await onOwnThread { () throws(BuildFailure) in try toolchain.verifyFetched(in: workspace) }
        return FetchedInputs()
    }

    /// Compares every download with the lockfile. Blocks while it reads files.
    ///
    /// Throws `InputVerificationError` naming what is missing, differs, or was not asked for.
    package func verifyFetched(in workspace: Workspace) throws(BuildFailure) {
        try FetchedCrates(home: workspace.path(.dependencies), resolved: resolved).verify()
    }

    public mutating func build(_ steps: any BuildSteps) async throws(BuildFailure) {
        try await run(buildCommand(workspace: steps.workspace), steps)
        let contested = try messages.contested(in: steps.workspace, project: project)
        guard !contested.isEmpty else { return }
        // Where two jobs give their programs one name at one time, Cargo may copy the one over the other, also in the
        // place where the compiler put it. One after the other they cannot.
        for path in contested { try remove(path) }
        try await run(serialBuildCommand(workspace: steps.workspace), steps)
    }

    private func remove(_ path: String) throws(BuildFailure) {
        do {
            try ProjectFiles.remove(path)
        } catch {
            throw BuildFailure(
                .artifact, "a program whose name another one has too could not be built again: \(error.reason)")
        }
    }

    private mutating func run(_ command: Command, _ steps: any BuildSteps) async throws(BuildFailure) {
        let messages = Mutex(CargoMessages())
        let outcome = try await steps.build(command) { (bytes) throws(BuildFailure) in
            try messages.withLock { (messages) throws(BuildFailure) in try messages.append(bytes) }
        }
        guard outcome.succeeded else {
            throw BuildFailure(.build, "cargo build failed with status \(outcome.status); the build log says why")
        }
        self.messages = messages.withLock { $0 }
    }

    public func collect(_ steps: any BuildSteps) async throws(BuildFailure) -> CollectedFiles {
        var messages = messages
        return CollectedFiles(artifacts: try messages.artifacts(in: steps.workspace, project: project))
    }
}
