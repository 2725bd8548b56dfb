// SPDX-License-Identifier: Apache-2.0

/// What one build may use. Each limit that is met ends in a `ResourceLimitError` (`TimeoutError` for times) that names
/// it.
public struct BuildLimits: Hashable, Sendable {
    /// Bytes of an upload.
    public var uploadSize: Int64 = 512 << 20
    /// Bytes of the source tree after unpacking or cloning.
    public var unpackedSize: Int64 = 4 << 30
    /// Files, folders and links of the source tree.
    public var fileCount = 500_000
    /// Unpacked bytes for each byte of the archive; checked beyond the first 16 MiB.
    public var compressionRatio: Int64 = 100
    /// Bytes of one path within the source tree.
    public var pathLength = 1024
    /// Folders within each other.
    public var pathDepth = 128
    /// Bytes of the event log.
    public var logSize: Int64 = 256 << 20
    /// Seconds for cloning or unpacking, and for the fetch phase, each.
    public var fetchSeconds = 900
    /// Seconds for the build phase.
    public var buildSeconds = 3600
    /// Bytes of memory for all processes of the build together.
    public var memory: Int64 = 8 << 30
    /// Processes and threads at one time.
    public var processes = 1024
    /// Bytes of the whole workspace.
    public var diskSize: Int64 = 20 << 30
    /// Files of the whole workspace.
    public var diskFiles = 2_000_000
    /// Open files of one process.
    public var openFiles = 4096
    /// Bytes of all artifacts together.
    public var artifactSize: Int64 = 4 << 30

    public init() {}
}
