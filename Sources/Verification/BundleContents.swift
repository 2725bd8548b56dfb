// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A bundle as it was read: the two small files whole, and the digest of everything that is there.
public struct BundleContents: Hashable, Sendable {
    /// `provenance.json`, byte for byte.
    public var provenance: [UInt8]
    /// `evidence.json`, byte for byte.
    public var evidence: [UInt8]
    /// Everything in the bundle but folders, ``provenance`` and ``evidence`` included.
    public var files: [BundleFile]

    public init(provenance: [UInt8], evidence: [UInt8], files: [BundleFile]) {
        self.provenance = provenance
        self.evidence = evidence
        self.files = files
    }
}

/// One entry of a bundle.
public struct BundleFile: Hashable, Sendable {
    /// Relative to the bundle's folder, parts separated by `/`.
    public var path: String
    public var kind: Kind
    /// Bytes.
    public var size: Int64
    /// Of the content; `nil` where there is none to read. A regular file without it never verifies.
    public var sha256: Digest256?

    public enum Kind: Hashable, Sendable {
        case regular
        /// A link, device, pipe or socket: never part of a bundle.
        case other
    }

    public init(path: String, kind: Kind, size: Int64, sha256: Digest256?) {
        self.path = path
        self.kind = kind
        self.size = size
        self.sha256 = sha256
    }
}

/// The names that a bundle fixes.
enum BundlePath {
    static let provenance = "provenance.json"
    static let evidence = "evidence.json"
    static let log = "build.log"
    static let artifacts = "artifacts/"
}
