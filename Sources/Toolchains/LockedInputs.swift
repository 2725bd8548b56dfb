// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
public import Provenance
public import SourceTrees
internal import StrictJSON

/// All that a build takes in beside its source, each with a digest.
public struct LockedInputs: Hashable, Sendable {
    /// `Cargo.lock` and its SHA-256.
    public let lockfile: ResourceDescriptor
    /// Every package that is not part of the source tree, sorted by URI.
    ///
    /// A crate from a registry has the SHA-256 of its `.crate` file, a git package its commit. A vendored one has
    /// instead the `dirHash` of its files, which was computed: that they are the crate that the lockfile names is only
    /// its own `.cargo-checksum.json`'s word, so the lockfile's checksum is an annotation.
    public let dependencies: [ResourceDescriptor]
    /// The packages of the lockfile, in its order.
    public let packages: [LockedPackage]
    /// Hosts other than crates.io that the fetch phase contacts, sorted.
    public let hosts: [RemoteAddress]

    let resolved: [ResolvedPackage]

    /// Throws `SourceError` where a host is at an address from which nothing may be fetched.
    public func checkAddresses(_ policy: SourceAddressPolicy) async throws(BuildFailure) {
        for host in hosts { _ = try await policy.addresses(host: host.host, port: host.port) }
    }
}

/// A locked package of another source, and where its bytes are.
struct ResolvedPackage: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        /// Downloaded by Cargo in the fetch phase.
        case download
        /// Part of the source tree, already verified.
        case vendored(Digest256)
        /// A `.crate` file of the source tree, already verified.
        case localRegistry
    }

    let package: LockedPackage
    let place: Place

    var descriptor: ResourceDescriptor {
        var digest: [String: String] = [:]
        var annotations: [String: JSONValue] = [:]
        switch (place, package.source) {
        case (.vendored(let hash), _):
            digest[DirectoryHash.algorithm] = hash.hex
            annotations["vendored"] = true
            if let checksum = package.checksum { annotations["lockfileChecksum"] = .string(checksum) }
        case (_, .git(_, _, let commit)): digest["gitCommit"] = commit
        default: digest["sha256"] = package.checksum
        }
        if place == .localRegistry { annotations["localRegistry"] = true }
        return ResourceDescriptor(
            name: package.name, uri: package.packageURL, digest: digest, annotations: annotations)
    }
}
