// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import Provenance
public import StrictJSON

/// A source in its workspace, with the identity that was computed from its files.
public struct FetchedSource: Hashable, Sendable {
    /// Safe as the name of a folder: the result's top folder.
    public let projectName: String
    /// The project's folder on this machine.
    public let root: String
    /// Over every file, mode and link; see ``TreeDigest``.
    public let treeDigest: Digest256
    /// 40 hexadecimal digits; `nil` for all but clones: an upload's or folder's own claim is not believed.
    public let gitCommit: String?
    /// The id that git gives these files; `nil` where git cannot hold them.
    public let gitTree: String?
    /// Seconds since 1970 at which the commit was made; `nil` for all but clones.
    public let commitTime: Int?
    /// The source as the first of the provenance's resolved dependencies.
    public let descriptor: ResourceDescriptor
    /// The value of `source` in the provenance's external parameters: what the requester chose.
    public let externalParameters: JSONValue
}
