// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding
internal import SourceTrees

/// The store of one build: in the workspace's output part, empty at the start, and `/nix` to the build's commands. So no
/// build sees what another made, and nothing of the machine's own store.
package struct NixStore: Hashable, Sendable {
    /// Below the output part.
    static let folder = "nix"
    /// Bytes of a source that may be a text.
    private static let maximumText = 16 << 20

    /// Absolute, on this machine: the folder that commands see as `/nix/store`.
    package let root: String
    /// Paths that are in it because this machine's Nix is made of them.
    let given: Set<NixStorePath>
    /// What Nix has refused, and will put something else in the place of.
    private var disregarded: Set<NixStorePath> = []

    package init(_ workspace: Workspace, given: [String] = []) {
        root = "\(workspace.path(.output))/\(Self.folder)/store"
        self.given = Set(given.compactMap { try? NixStorePath("\(NixStorePath.standardDirectory)/\($0)") })
    }

    /// Where commands see it.
    static let mount = FolderMount(part: .output, folder: folder, inside: "/nix")

    /// Where a store path is on this machine.
    package func place(of path: NixStorePath) -> String { "\(root)/\(path.baseName)" }

    func has(_ path: NixStorePath) -> Bool {
        guard !disregarded.contains(path) else { return false }
        return given.contains(path) || ProjectFiles.kind(of: place(of: path)) != .other
    }

    /// Has ``has(_:)`` and ``contents()`` take what is there as not being there, and nothing else.
    mutating func disregard(_ paths: Set<NixStorePath>) { disregarded.formUnion(paths) }

    /// The store path in which `file` lies; `nil` for a file elsewhere.
    static func path(containing file: String) -> NixStorePath? {
        let prefix = NixStorePath.standardDirectory + "/"
        guard let name = PathParts.below(NixStorePath.standardDirectory, file).map(PathParts.all)?.first else {
            return nil
        }
        return try? NixStorePath(prefix + name)
    }

    /// What the build brought into the store, but derivations and what Nix keeps there for itself.
    ///
    /// - Parameter withDisregarded: whether what Nix has refused is there too.
    package func contents(withDisregarded: Bool = false) throws(BuildFailure) -> Set<NixStorePath> {
        let names: [String]
        do {
            names = try ProjectFiles.list(root).map(\.name).filter { !$0.hasPrefix(".") }
        } catch {
            throw BuildFailure(.inputVerification, "the build's Nix store cannot be read: \(error.reason)")
        }
        var found: Set<NixStorePath> = []
        for path in names.compactMap({ try? NixStorePath("\(NixStorePath.standardDirectory)/\($0)") }) {
            if isLock(path) || given.contains(path) || !withDisregarded && disregarded.contains(path) { continue }
            if try !isDerivation(path) { found.insert(path) }
        }
        return found
    }

    func disregards(_ path: NixStorePath) -> Bool { disregarded.contains(path) }

    /// Whether it is a derivation: what was fetched may be called like one, but stands where its own hash puts it.
    private func isDerivation(_ path: NixStorePath) throws(BuildFailure) -> Bool {
        guard path.isDerivation, ProjectFiles.kind(of: place(of: path)) == .file else { return false }
        let archive = try NixArchive.digest(of: place(of: path))
        guard path != Self.sourcePath(archive, name: path.name) else { return false }
        return try fileDigest(path) == nil
    }

    /// Nix's locks are empty files; what else ends so may have been fetched.
    private func isLock(_ path: NixStorePath) -> Bool {
        let place = place(of: path)
        guard path.name.hasSuffix(".lock"), ProjectFiles.kind(of: place) == .file else { return false }
        return (try? ProjectFiles.read(place, limit: 0)) == []
    }

    /// A derivation, whose path is that of its content.
    ///
    /// Throws `InputVerificationError` where it is not there, or its content is not what its path says.
    func derivation(at path: NixStorePath) throws(BuildFailure) -> NixDerivation {
        let bytes: [UInt8]
        do {
            bytes = try ProjectFiles.read(place(of: path), limit: NixDerivation.maximumSize) ?? []
        } catch {
            throw BuildFailure(.inputVerification, "the derivation \(path) cannot be read: \(error.reason)")
        }
        return try NixDerivation(parsing: bytes, at: path)
    }

    /// What the archives of some paths have for digests.
    func digests(of paths: Set<NixStorePath>) async throws(BuildFailure) -> [NixStorePath: Digest256] {
        let store = self
        return try await onOwnThread { () throws(BuildFailure) in
            var digests: [NixStorePath: Digest256] = [:]
            for path in paths { digests[path] = try NixArchive.digest(of: store.place(of: path)) }
            return digests
        }
    }

    /// A store path that no derivation makes: its name is that of its content.
    struct Source: Hashable, Sendable {
        /// A file tree, a download of a single file, or a text that the evaluation wrote.
        enum Kind { case tree, file, text }

        let kind: Kind
        /// The SHA-256 of the file itself for ``Kind/file``, else of the archive.
        let digest: Digest256
    }

    /// Compares a source with its path. Throws `InputVerificationError` where they differ.
    ///
    /// - Parameter present: what is in the store; a text's path depends on what it names.
    func verifySource(_ path: NixStorePath, among present: StoreReferences) throws(BuildFailure) -> Source {
        let digest = try NixArchive.digest(of: place(of: path))
        if path == Self.sourcePath(digest, name: path.name) { return Source(kind: .tree, digest: digest) }
        if let file = try fileDigest(path) { return Source(kind: .file, digest: file) }
        // Texts, such as those of `builtins.toFile`, have paths of another kind.
        if ProjectFiles.kind(of: place(of: path)) == .file,
            let bytes = try? ProjectFiles.read(place(of: path), limit: Self.maximumText)
        {
            let references = present.find(in: bytes).subtracting([path])
            let promised = try? NixStorePath(ofText: bytes, name: path.name, references: references)
            if path == promised { return Source(kind: .text, digest: digest) }
        }
        throw BuildFailure(
            .inputVerification, "the source \(path) is not what its path says: its archive has the SHA-256 \(digest)")
    }

    /// The digest of a single file that stands where Nix puts what `builtins.fetchurl` gets; else `nil`.
    private func fileDigest(_ path: NixStorePath) throws(BuildFailure) -> Digest256? {
        let place = place(of: path)
        guard ProjectFiles.kind(of: place) == .file, let any = try? NixHash(.sha256, bytes: Digest256(of: []).bytes)
        else { return nil }
        let found = try NixArchive.output(at: place, like: NixFixedOutput(mode: .flat, hash: any))
        guard path == (try? NixStorePath(ofFixedOutput: found, name: path.name)) else { return nil }
        return try? Digest256(rawBytes: found.hash.bytes)
    }

    /// Where Nix puts a file tree with this digest.
    static func sourcePath(_ digest: Digest256, name: String) -> NixStorePath? {
        guard let hash = try? NixHash(.sha256, bytes: digest.bytes) else { return nil }
        return try? NixStorePath(ofFixedOutput: NixFixedOutput(mode: .archive, hash: hash), name: name)
    }
}
