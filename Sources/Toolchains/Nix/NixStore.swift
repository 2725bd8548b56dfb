// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding

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

    package init(_ workspace: Workspace, given: [String] = []) {
        root = "\(workspace.path(.output))/\(Self.folder)/store"
        self.given = Set(given.compactMap { try? NixStorePath("\(NixStorePath.standardDirectory)/\($0)") })
    }

    /// Where commands see it.
    static let mount = FolderMount(part: .output, folder: folder, inside: "/nix")

    /// Where a store path is on this machine.
    package func place(of path: NixStorePath) -> String { "\(root)/\(path.baseName)" }

    func has(_ path: NixStorePath) -> Bool {
        given.contains(path) || ProjectFiles.kind(of: place(of: path)) != .other
    }

    /// The store path in which `file` lies; `nil` for a file elsewhere.
    static func path(containing file: String) -> NixStorePath? {
        let prefix = NixStorePath.standardDirectory + "/"
        guard file.hasPrefix(prefix) else { return nil }
        let name = file.dropFirst(prefix.count).prefix { $0 != "/" }
        return try? NixStorePath(prefix + name)
    }

    /// What the build brought into the store, but derivations and what Nix keeps there for itself.
    func contents() throws(BuildFailure) -> Set<NixStorePath> {
        do {
            let names = try ProjectFiles.list(root).map(\.name).filter { !$0.hasPrefix(".") }
            let paths = names.compactMap { try? NixStorePath("\(NixStorePath.standardDirectory)/\($0)") }
            return Set(paths.filter { !$0.isDerivation && !$0.name.hasSuffix(".lock") }).subtracting(given)
        } catch {
            throw BuildFailure(.inputVerification, "the build's Nix store cannot be read: \(error.reason)")
        }
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

    /// Compares a source, whose path is that of its content, with its path.
    ///
    /// Returns the SHA-256 of its archive, and the paths that it names where it is a text, such as those of
    /// `builtins.toFile`: then its path depends on them too. Throws `InputVerificationError` where path and content
    /// differ.
    ///
    /// - Parameter present: what is in the store.
    func verifySource(
        _ path: NixStorePath, among present: StoreReferences
    ) throws(BuildFailure) -> (digest: Digest256, references: [NixStorePath]) {
        let digest = try NixArchive.digest(of: place(of: path))
        if path == Self.sourcePath(digest, name: path.name) { return (digest, []) }
        if ProjectFiles.kind(of: place(of: path)) == .file,
            let bytes = try? ProjectFiles.read(place(of: path), limit: Self.maximumText)
        {
            let references = present.find(in: bytes).subtracting([path]).sorted()
            let promised = try? NixStorePath(ofText: bytes, name: path.name, references: references)
            if path == promised { return (digest, references) }
        }
        throw BuildFailure(
            .inputVerification, "the source \(path) is not what its path says: its archive has the SHA-256 \(digest)")
    }

    /// Where Nix puts a file tree with this digest.
    static func sourcePath(_ digest: Digest256, name: String) -> NixStorePath? {
        guard let hash = try? NixHash(.sha256, bytes: digest.bytes) else { return nil }
        return try? NixStorePath(ofFixedOutput: NixFixedOutput(mode: .archive, hash: hash), name: name)
    }
}
