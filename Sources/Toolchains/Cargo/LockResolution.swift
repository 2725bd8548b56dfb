// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Provenance

/// Finds out for each locked package where its bytes come from, and checks those that are part of the source tree.
struct LockResolution {
    private let configuration: CargoConfiguration
    private var vendored: [String: DirectorySource] = [:]
    private var hosts: Set<RemoteAddress> = []

    init(configuration: CargoConfiguration) {
        self.configuration = configuration
    }

    /// Throws `UnpinnedDependencyError` naming a package without digest or commit, `InputVerificationError` naming one
    /// whose files differ from it, `SourceError` for one that only a file or ssh transport could get.
    mutating func resolve(_ lockfile: CargoLockfile) throws(BuildFailure) -> [ResolvedPackage] {
        var resolved: [ResolvedPackage] = []
        for package in lockfile.packages {
            guard let source = package.source else { continue }
            try Self.requirePin(package, source)
            resolved.append(ResolvedPackage(package: package, place: try place(of: package, source)))
        }
        return resolved
    }

    /// - Parameter bytes: the lockfile.
    func inputs(of resolved: [ResolvedPackage], bytes: [UInt8]) -> LockedInputs {
        let dependencies = resolved.map(\.descriptor).sorted {
            ($0.uri ?? "").utf8.lexicographicallyPrecedes(($1.uri ?? "").utf8)
        }
        return LockedInputs(
            lockfile: ResourceDescriptor(name: "Cargo.lock", digest: ["sha256": Digest256(of: bytes).hex]),
            dependencies: dependencies, hosts: hosts.sorted { ($0.host, $0.port) < ($1.host, $1.port) })
    }

    private static func requirePin(_ package: LockedPackage, _ source: CargoSource) throws(BuildFailure) {
        switch source {
        case .registry:
            guard package.checksum == nil else { return }
            throw BuildFailure(
                .unpinnedDependency,
                "the dependency '\(package.title)' has no checksum in Cargo.lock; run cargo update --workspace")
        case .git(_, _, let commit):
            if let commit, isCommit(commit) { return }
            throw BuildFailure(
                .unpinnedDependency,
                "the git dependency '\(package.title)' has no commit in Cargo.lock; run cargo update --workspace")
        }
    }

    private static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64) && (try? Hex.decode(text)) != nil
            && text == text.lowercased()
    }

    private mutating func place(
        of package: LockedPackage, _ source: CargoSource
    ) throws(BuildFailure) -> ResolvedPackage.Place {
        switch try configuration.replacement(of: source) {
        case .directory(let folder): return .vendored(try vendoredSource(folder).verify(package))
        case .localRegistry(let folder):
            try checkLocal(package, in: folder)
            return .localRegistry
        case .remote(let url):
            try addHost(url, for: package)
            try Self.requireDigest(package, source)
            return .download
        case .none:
            if source != .cratesIO { try addHost(source.url, for: package) }
            try Self.requireDigest(package, source)
            return .download
        }
    }

    private mutating func vendoredSource(_ folder: String) throws(BuildFailure) -> DirectorySource {
        if let known = vendored[folder] { return known }
        let source = try DirectorySource(folder)
        vendored[folder] = source
        return source
    }

    private static func requireDigest(_ package: LockedPackage, _ source: CargoSource) throws(BuildFailure) {
        guard case .registry = source, package.digest == nil else { return }
        throw BuildFailure(
            .unpinnedDependency,
            "the checksum of the dependency '\(package.title)' in Cargo.lock is '\(shown(package.checksum ?? ""))', "
                + "expected a SHA-256 of 64 lower-case hexadecimal digits")
    }

    private func checkLocal(_ package: LockedPackage, in folder: String) throws(BuildFailure) {
        let file = "\(package.name)-\(package.version).crate"
        let found: Digest256
        do {
            found = try ProjectFiles.digest(of: folder + "/" + file)
        } catch {
            throw BuildFailure(
                .inputVerification,
                "the crate file '\(shown(file))' of the local registry cannot be read: \(error.reason)")
        }
        guard let expected = package.digest, found == expected else {
            throw BuildFailure(
                .inputVerification,
                "the crate file '\(shown(file))' of the local registry has the SHA-256 \(found), Cargo.lock promises "
                    + shown(package.checksum ?? "none"))
        }
    }

    private mutating func addHost(_ url: String, for package: LockedPackage) throws(BuildFailure) {
        guard let address = RemoteAddress(url) else {
            throw BuildFailure(
                .source,
                "the dependency '\(package.title)' comes from '\(shown(url))'; only https:// and http:// without user "
                    + "name and password can be fetched")
        }
        if url != CargoSource.cratesIO.url { hosts.insert(address) }
    }
}
