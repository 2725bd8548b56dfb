// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import Provenance

/// A bundle as it was read: the two small files whole, and the digest of everything that is there.
public struct BundleContents: Hashable, Sendable {
    /// `provenance.json`, byte for byte.
    public var provenance: [UInt8]
    /// `evidence.json`, byte for byte.
    public var evidence: [UInt8]
    /// Everything in the bundle but folders, ``provenance`` and ``evidence`` included.
    public var files: [BundleFile]
    /// Certificates and lists of the vendors that came with the bundle, by their paths below ``collateralFolder``. No
    /// more is read than ``maximumCollateralFiles`` and ``maximumCollateralSize`` allow.
    public var collateral: [String: [UInt8]]

    /// `build.log` in short, where it was read for ``VerificationPolicy/seenEvents``: it says which line differs.
    public var log: LogSummary?

    public init(
        provenance: [UInt8], evidence: [UInt8], files: [BundleFile], collateral: [String: [UInt8]] = [:],
        log: LogSummary? = nil
    ) {
        self.provenance = provenance
        self.evidence = evidence
        self.files = files
        self.collateral = collateral
        self.log = log
    }

    /// Whether the provenance names the digest of a log, with which ``SeenEvents`` can be compared.
    public var namesLog: Bool { BundleProvenance(parsing: provenance).record != nil }

    /// The one folder of a bundle whose files the provenance does not name, and cannot: vendors make them later.
    public static let collateralFolder = "collateral/"
    /// A bundle with more files in ``collateralFolder`` is refused.
    public static let maximumCollateralFiles = 64
    /// Bytes of one file in ``collateralFolder``; a bundle with a larger one is refused.
    public static let maximumCollateralSize = 2 << 20
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
        /// A symbolic link, with its text; part of a bundle where the provenance states it.
        case link(target: String)
        /// A hard link in a tarball, a device, pipe or socket: never part of a bundle.
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
    static let billOfMaterials = BuildFacts.billOfMaterialsName
    static let artifacts = "artifacts/"
}
