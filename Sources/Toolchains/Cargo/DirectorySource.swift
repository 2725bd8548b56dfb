// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import StrictJSON
internal import StrictTOML

/// A folder of vendored crates (Cargo's "directory source"), each with a `.cargo-checksum.json` that lists its files.
struct DirectorySource {
    /// Absolute.
    private let folder: String
    /// From "name version" to the crate's folder, as Cargo finds it: by the manifest, not by the folder's name.
    private var crates: [String: String] = [:]

    /// Reads the manifest of every crate in `folder`. Throws `InputVerificationError` where one cannot be read, or two
    /// are the same crate: then it is open which of them Cargo would take.
    init(_ folder: String) throws(BuildFailure) {
        self.folder = folder
        let entries: [ProjectFiles.Entry]
        do {
            entries = try ProjectFiles.list(folder)
        } catch {
            throw BuildFailure(.inputVerification, "the vendored crates cannot be read: \(error.reason)")
        }
        for entry in entries where !entry.name.hasPrefix(".") && entry.kind != .file {
            guard let title = try Self.title(folder + "/" + entry.name, name: entry.name) else { continue }
            if let other = crates.updateValue(entry.name, forKey: title) {
                throw BuildFailure(
                    .inputVerification,
                    "the vendored crate '\(shown(title))' is there twice: '\(shown(other))' and '\(shown(entry.name))'")
            }
        }
    }

    private static func title(_ folder: String, name: String) throws(BuildFailure) -> String? {
        let manifest: JSONValue
        do {
            guard let bytes = try ProjectFiles.read(folder + "/Cargo.toml", limit: 1 << 20) else { return nil }
            manifest = try TOMLDocument.parse(bytes, name: "Cargo.toml")
        } catch {
            let reason = (error as? UnreadableFile)?.reason ?? "\(error)"
            throw BuildFailure(
                .inputVerification, "the manifest of the vendored crate '\(shown(name))' cannot be read: \(reason)")
        }
        guard let package = manifest["package"]?["name"]?.stringValue else { return nil }
        return "\(package) \(manifest["package"]?["version"]?.stringValue ?? "0.0.0")"
    }

    /// Compares every file of the crate with its digest in `.cargo-checksum.json`, and that file's `package` with the
    /// lockfile, and returns the crate's `dirHash`.
    ///
    /// Throws `InputVerificationError` naming crate and file where anything differs, is missing or is not listed.
    func verify(_ package: LockedPackage) throws(BuildFailure) -> Digest256 {
        guard let name = crates["\(package.name) \(package.version)"] else {
            throw BuildFailure(
                .inputVerification,
                "the crate '\(package.title)' of Cargo.lock is not among the vendored crates; run cargo vendor")
        }
        return try VendoredCrate(folder: folder + "/" + name, package: package).verify()
    }
}

private struct VendoredCrate {
    private static let checksumFile = ".cargo-checksum.json"

    let folder: String
    let package: LockedPackage

    func verify() throws(BuildFailure) -> Digest256 {
        var promised = try promisedFiles()
        guard ProjectFiles.kind(of: folder) == .folder else { throw failure("its folder is a link") }
        let found = try digests(of: "", depth: 0)
        for (path, digest) in found {
            guard let expected = promised.removeValue(forKey: path) else {
                throw failure("the file '\(shown(path))' is not listed in its \(Self.checksumFile)")
            }
            guard expected == digest.hex else {
                throw failure(
                    "the file '\(shown(path))' has the SHA-256 \(digest), but its \(Self.checksumFile) promises "
                        + "\(shown(expected))")
            }
        }
        if let missing = promised.keys.min() { throw failure("the file '\(shown(missing))' is missing") }
        return DirectoryHash.digest(of: found)
    }

    private func promisedFiles() throws(BuildFailure) -> [String: String] {
        let json: JSONValue
        do {
            guard let bytes = try ProjectFiles.read(folder + "/" + Self.checksumFile, limit: 16 << 20) else {
                throw failure("it has no \(Self.checksumFile)")
            }
            json = try JSONValue(parsing: bytes)
        } catch {
            if let failure = error as? BuildFailure { throw failure }
            throw failure(
                "its \(Self.checksumFile) cannot be read: \((error as? UnreadableFile)?.reason ?? shown("\(error)"))")
        }
        try checkChecksum(json["package"])
        guard let files = json["files"]?.objectValue else { throw failure("its \(Self.checksumFile) lists no files") }
        return files.mapValues { $0.stringValue ?? "" }
    }

    private func checkChecksum(_ value: JSONValue?) throws(BuildFailure) {
        let promised = value == .null ? nil : value?.stringValue
        guard promised == package.checksum else {
            throw failure(
                "its \(Self.checksumFile) says the crate's checksum is '\(shown(promised ?? "none"))', Cargo.lock says "
                    + "'\(shown(package.checksum ?? "none"))'")
        }
    }

    /// Every file's path within the crate and its digest, but the list of checksums itself.
    private func digests(of path: String, depth: Int) throws(BuildFailure) -> [String: Digest256] {
        guard depth < 64 else { throw failure("it nests more than 64 folders") }
        var digests: [String: Digest256] = [:]
        do {
            for entry in try ProjectFiles.list(path.isEmpty ? folder : folder + "/" + path) {
                let child = path.isEmpty ? entry.name : path + "/" + entry.name
                switch entry.kind {
                case .file where child == Self.checksumFile: continue
                case .file: digests[child] = try ProjectFiles.digest(of: folder + "/" + child)
                case .folder: digests.merge(try self.digests(of: child, depth: depth + 1)) { first, _ in first }
                case .link, .other: throw failure("'\(shown(child))' is neither a file nor a folder")
                }
            }
        } catch {
            if let failure = error as? BuildFailure { throw failure }
            throw failure("'\(shown(path))' cannot be read: \((error as? UnreadableFile)?.reason ?? "\(error)")")
        }
        return digests
    }

    private func failure(_ reason: String) -> BuildFailure {
        BuildFailure(.inputVerification, "the vendored crate '\(package.title)' is not what it promises: \(reason)")
    }
}

/// The digest of a folder that in-toto calls `dirHash`: Go's `h1`, in hexadecimal. It is the SHA-256 of what
/// `sha256sum` prints for the files in the order of their paths.
enum DirectoryHash {
    /// The algorithm's name in a DigestSet.
    static let algorithm = "dirHash"

    static func digest(of files: [String: Digest256]) -> Digest256 {
        var stream = Digest256.Stream()
        for (path, digest) in files.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            stream.update(Array("\(digest.hex)  \(path)\n".utf8))
        }
        return stream.digest
    }
}
