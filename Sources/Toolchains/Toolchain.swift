// SPDX-License-Identifier: Apache-2.0
public import Builds
public import Provenance

/// One ecosystem: all that is particular to it, from the first look at a source tree to the files that a build left.
///
/// A value is made for one build and asked in the order of the requirements below, each once; what one step learns for
/// a later one, it keeps. It makes command lines; ``BuildSteps`` runs them. `docs/adding-a-toolchain.md` takes a reader
/// through it.
public protocol Toolchain: Sendable {
    /// The bare name: the `detect` event's message, the name in `cupel.toml`, and of the table there.
    static var name: String { get }
    /// SLSA `buildType`: the page that says what the provenance's fields mean.
    static var buildType: String { get }
    /// The file by which people recognise such a project, for messages.
    static var marker: String { get }

    /// Whether the project in this folder of this machine is one for the toolchain.
    static func detect(in folder: String) -> Bool

    /// Reads the project's own settings, and finds the programs that will build it.
    ///
    /// Throws `UnsupportedToolchainError` where a program is not installed, or a setting would change what the
    /// provenance says of the build.
    init(_ project: Project) throws(BuildFailure)

    /// Folders of this machine that commands must see, read-only, beside the system's own.
    var mounts: [ReadOnlyFolder] { get }

    /// Reads the lockfile: everything that the build takes in beside its source, each with a digest. Blocks while it
    /// reads files.
    ///
    /// Throws `LockfileError` where the lockfile is missing or malformed, `UnpinnedDependencyError` naming what has no
    /// digest, `InputVerificationError` where a part of the source tree is not what the lockfile says.
    mutating func lock() throws(BuildFailure) -> LockedInputs

    /// The programs that build, each with a digest, named uniquely.
    func tools(_ steps: any BuildSteps) async throws(BuildFailure) -> [ResourceDescriptor]

    /// The fetch phase: with network, and without a program of the project being run. (Nix evaluates the flake, as an
    /// expression, in pure mode; and runs programs of its derivations where the operator allows it.) Afterwards every
    /// byte that was fetched has been compared with what was promised.
    ///
    /// Throws `InputVerificationError` naming what differs, `SourceError` for what cannot be had.
    mutating func fetch(_ steps: any BuildSteps) async throws(BuildFailure) -> FetchedInputs

    /// The build phase: one command, without network. Throws `BuildError` where it fails.
    mutating func build(_ steps: any BuildSteps) async throws(BuildFailure)

    /// The files that the build left, after every process of it died. Throws `ArtifactError` where there are none.
    func collect(_ steps: any BuildSteps) async throws(BuildFailure) -> CollectedFiles
}

/// A folder of this machine that commands see, read-only.
public struct ReadOnlyFolder: Hashable, Sendable {
    /// Absolute path on this machine.
    public let host: String
    /// Absolute path as commands see it.
    public let inside: String

    public init(host: String, inside: String) {
        self.host = host
        self.inside = inside
    }
}

/// All toolchains that this build service has.
public enum Toolchains {
    /// Where several fit a project and its `cupel.toml` names none, the first of them builds it.
    public static let all: [any Toolchain.Type] = [NixToolchain.self, CargoToolchain.self]

    /// The toolchain that a project asks for, or for which it is.
    ///
    /// Throws `UnsupportedToolchainError` where there is none.
    public static func find(for project: Project) throws(BuildFailure) -> any Toolchain.Type {
        try find(for: project, among: all)
    }

    package static func find(
        for project: Project, among toolchains: [any Toolchain.Type]
    ) throws(BuildFailure) -> any Toolchain.Type {
        let markers = toolchains.map { "a \($0.marker)" }.joined(separator: " or ")
        let place = project.directory.isEmpty ? "at the top of the source" : "in '\(project.directory)'"
        guard let wanted = project.settings.toolchain else {
            if let found = toolchains.first(where: { $0.detect(in: project.folder) }) { return found }
            throw BuildFailure(
                .unsupportedToolchain,
                "no known toolchain: expected \(markers) \(place), found none; a project "
                    + "elsewhere in the source can be named by 'directory' in cupel.toml")
        }
        guard let found = toolchains.first(where: { $0.name == wanted }) else {
            throw BuildFailure(.unsupportedToolchain, "cupel.toml asks for the unknown toolchain '\(shown(wanted))'")
        }
        guard found.detect(in: project.folder) else {
            throw BuildFailure(
                .unsupportedToolchain,
                "cupel.toml asks for the toolchain '\(wanted)', but there is no \(found.marker) \(place); leave the "
                    + "key 'toolchain' out, or name the project's folder by 'directory'")
        }
        return found
    }
}
