// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// Counts what an archive unpacks to, and throws the moment a limit is met, before more is written.
struct ArchiveBudget {
    /// Unpacked bytes below which the ratio does not matter: small files of one letter are no attack.
    static let ratioFreeBytes: Int64 = 16 << 20

    private let limits: BuildLimits
    /// Bytes of the archive file.
    private let archiveSize: Int64
    private var bytes: Int64 = 0
    private var entries = 0

    init(limits: BuildLimits, archiveSize: Int64) {
        self.limits = limits
        self.archiveSize = archiveSize
    }

    mutating func count(bytes more: Int) throws(BuildFailure) {
        bytes += Int64(more)
        guard bytes <= limits.unpackedSize else {
            throw BuildFailure(
                .resourceLimit,
                "the archive unpacks to more than \(limits.unpackedSize) bytes, the limit of the unpacked size")
        }
        let (allowed, overflow) = archiveSize.multipliedReportingOverflow(by: limits.compressionRatio)
        guard bytes <= Self.ratioFreeBytes || overflow || bytes <= allowed else {
            throw BuildFailure(
                .resourceLimit,
                "the archive unpacks to more than \(limits.compressionRatio) times its size,"
                    + " the limit of the compression ratio")
        }
    }

    mutating func countEntry() throws(BuildFailure) {
        entries += 1
        guard entries <= limits.fileCount else {
            throw BuildFailure(
                .resourceLimit, "the archive holds more than \(limits.fileCount) files, the limit of the file count")
        }
    }
}
