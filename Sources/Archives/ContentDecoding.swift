// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import CArchive

/// Takes the content coding `zstd` off `file`, into a new file at `path`. Throws `SourceError` where it is damaged, and
/// `ResourceLimitError` beyond `limits`; then `path` may be incomplete.
public func decodeZstd(file path: String, to decoded: String, limits: BuildLimits) throws(BuildFailure) {
    let source = try OpenFile(reading: path, otherwise: .source)
    var budget = ArchiveBudget(limits: limits, archiveSize: try source.size())
    let target = try OpenFile(creating: decoded, mode: 0o600)
    guard let archive = archive_read_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
    defer { archive_read_free(archive) }
    func damaged() -> BuildFailure {
        BuildFailure(.source, "what was received is not whole zstd: \(libraryMessage(archive))")
    }

    var entry: OpaquePointer?
    guard archive_read_append_filter(archive, ARCHIVE_FILTER_ZSTD) == ARCHIVE_OK,
        archive_read_support_format_raw(archive) == ARCHIVE_OK,
        archive_read_open_fd(archive, source.descriptor, 256 << 10) == ARCHIVE_OK,
        archive_read_next_header(archive, &entry) == ARCHIVE_OK
    else { throw damaged() }
    while true {
        var address: UnsafeRawPointer?
        var count = 0
        var offset: Int64 = 0
        switch archive_read_data_block(archive, &address, &count, &offset) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF: return
        default: throw damaged()
        }
        try budget.count(bytes: count)
        try target.write(UnsafeRawBufferPointer(start: address, count: count))
    }
}
