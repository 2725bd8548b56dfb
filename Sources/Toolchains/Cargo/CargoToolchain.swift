// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding

/// Builds projects that have a `Cargo.toml`: reads what they lock, fetches it, builds without network, and knows which
/// tools did it. It makes command lines; others run them.
public struct CargoToolchain: Hashable, Sendable {
    /// The toolchain's bare name, as the `detect` event gives it.
    public static let name = "cargo"
    /// SLSA `buildType`: the page that says what the provenance's fields mean.
    public static let buildType = "https://github.com/cupel-build/cupel/blob/main/docs/build-types/cargo-v1.md"

    /// The toolchain that will build.
    public let installation: RustInstallation
    /// Seconds since 1970 that the build sees as `SOURCE_DATE_EPOCH`.
    public var sourceDateEpoch = 0

    let configuration: CargoConfiguration

    /// Whether the project in this folder is one for Cargo.
    public static func detect(in root: String) -> Bool {
        ProjectFiles.kind(of: root + "/Cargo.toml") == .file || ProjectFiles.exists(root + "/Cargo.toml")
    }

    /// Reads the project's own settings and finds the toolchain that it asks for.
    ///
    /// Throws `UnsupportedToolchainError` where the toolchain is not installed, or a setting would replace a part of it.
    ///
    /// - Parameter sourceRoot: the project's folder on this machine.
    public init(sourceRoot: String, places: RustPlaces = .standard) throws(BuildFailure) {
        configuration = try CargoConfiguration.read(in: sourceRoot)
        installation = try RustInstallation.find(for: sourceRoot, in: places)
    }

    /// What the sandbox must show to the commands: folders of this machine, read-only, and where.
    public var mounts: [(host: String, inside: String)] {
        installation.isSystem ? [] : [(installation.sysroot, RustInstallation.mountPoint)]
    }

    /// Reads `Cargo.lock`, and verifies what is vendored. Blocks while it reads files.
    ///
    /// Throws `LockfileError`, `UnpinnedDependencyError`, `InputVerificationError` or `SourceError`, naming the package.
    public func lock(sourceRoot: String) throws(BuildFailure) -> LockedInputs {
        let bytes = try lockfileBytes(in: sourceRoot)
        let lockfile = try CargoLockfile(parsing: bytes)
        try CargoManifests.check(root: sourceRoot)
        var resolution = LockResolution(configuration: configuration)
        return try resolution.inputs(of: lockfile, bytes: bytes)
    }

    private func lockfileBytes(in root: String) throws(BuildFailure) -> [UInt8] {
        guard ProjectFiles.kind(of: root + "/Cargo.lock") != .other else {
            throw BuildFailure(
                .lockfile,
                "Cargo.lock is missing beside Cargo.toml; run cargo generate-lockfile and add it to the source")
        }
        guard let path = ProjectFiles.confined("Cargo.lock", from: root, root: root) else {
            throw BuildFailure(.lockfile, "Cargo.lock is a link that leads out of the source tree, or nowhere")
        }
        do {
            return try ProjectFiles.read(path, limit: CargoLockfile.maximumSize) ?? []
        } catch {
            throw BuildFailure(.lockfile, "Cargo.lock cannot be read: \(error.reason)")
        }
    }

    /// Compares every download with the lockfile, after the fetch phase. Blocks while it reads files.
    ///
    /// Throws `InputVerificationError` naming what is missing, differs, or was not asked for.
    public func verifyFetched(_ locked: LockedInputs, workspace: Workspace) throws(BuildFailure) {
        try FetchedCrates(home: workspace.path(.dependencies), resolved: locked.resolved).verify()
    }
}
