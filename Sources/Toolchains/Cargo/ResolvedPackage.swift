// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Provenance
internal import StrictJSON

/// A locked package of another source, and where its bytes are.
///
/// A crate from a registry has the SHA-256 of its `.crate` file, a git package its commit. A vendored one has instead
/// the `dirHash` of its files, which was computed: that they are the crate that the lockfile names is only its own
/// `.cargo-checksum.json`'s word, so the lockfile's checksum is an annotation.
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
