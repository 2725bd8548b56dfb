// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import CArchive
internal import Foundation

/// Walks through a ZIP or gzip-compressed tar file, entry by entry. Every fault and every warning of libarchive ends
/// it: a file that two tools could read differently is not a source.
final class ArchiveReader {
    private let archive: OpaquePointer
    private let file: OpenFile
    private let gzip: GzipStream?
    private let limits: BuildLimits
    private var budget: ArchiveBudget
    private var written: Int64 = 0
    private var current: ArchiveEntry?

    private static let blockSize = 256 * 1024

    init(_ path: String, formats: Set<ArchiveFormat>, limits: BuildLimits) throws(BuildFailure) {
        UTF8Names.enable()
        file = try OpenFile(reading: path, otherwise: .source)
        let format = try ArchiveFormat(of: file)
        guard formats.contains(format) else { throw BuildFailure(.source, "the archive is not a .tar.gz file") }
        if format == .zip { try ZipDirectory.check(file, limits: limits) }
        self.limits = limits
        budget = ArchiveBudget(limits: limits, archiveSize: try file.size())
        gzip = format == .tarGzip ? try GzipStream(file, budget: budget) : nil
        // Last: only a whole object is taken apart by its deinit.
        guard let archive = archive_read_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
        self.archive = archive
        guard open() == ARCHIVE_OK else { throw malformed() }
    }

    deinit { archive_read_free(archive) }

    /// The next entry; `nil` after the last one, when the whole file has been checked.
    func next() throws(BuildFailure) -> ArchiveEntry? {
        while true {
            var header: OpaquePointer?
            let result = archive_read_next_header(archive, &header)
            if result == ARCHIVE_EOF {
                try finish()
                return nil
            }
            guard result == ARCHIVE_OK, let header else { throw malformed() }
            try budget.countEntry()
            written = 0
            current = try ArchiveEntry(header, limits: limits)
            if let current { return current }
        }
    }

    /// The next bytes of the current entry, valid until the next call; `nil` at the end of a whole entry.
    func nextBlock() throws(BuildFailure) -> UnsafeRawBufferPointer? {
        var address: UnsafeRawPointer?
        var count = 0
        var offset: Int64 = 0
        let result = archive_read_data_block(archive, &address, &count, &offset)
        if result == ARCHIVE_EOF {
            guard let size = current?.size, size == written else {
                throw malformed("an entry is shorter than it says, or sparse")
            }
            return nil
        }
        guard result == ARCHIVE_OK else { throw malformed() }
        guard offset == written else { throw malformed("an entry is sparse; pack it without --sparse") }
        written += Int64(count)
        try budget.count(bytes: count)
        return UnsafeRawBufferPointer(start: address, count: count)
    }

    /// Counts something that unpacking makes without an entry of its own.
    func count(bytes: Int, entries: Int) throws(BuildFailure) {
        try budget.count(bytes: bytes)
        for _ in 0..<entries { try budget.countEntry() }
    }

    private func open() -> Int32 {
        guard let gzip else {
            archive_read_support_format_zip_seekable(archive)
            return archive_read_open_fd(archive, file.descriptor, Self.blockSize)
        }
        archive_read_support_format_tar(archive)
        return archive_read_open(
            archive, Unmanaged.passUnretained(gzip).toOpaque(), nil,
            { _, stream, address in
                guard let stream else { return -1 }
                return Unmanaged<GzipStream>.fromOpaque(stream).takeUnretainedValue().nextForLibrary(address)
            }, nil)
    }

    private func finish() throws(BuildFailure) {
        guard let gzip else { return }
        if let failure = gzip.failure { throw failure }
        let used = archive_filter_bytes(archive, 0)
        try gzip.finish(used: used)
        guard gzip.trailingZeros >= 1024, gzip.length.isMultiple(of: 512) else {
            throw malformed("the tar file has no end; it was cut short")
        }
    }

    private func malformed(_ reason: String? = nil) -> BuildFailure {
        if let failure = gzip?.failure { return failure }
        let place = current.map { " near '\(printable($0.path.text))'" } ?? ""
        return BuildFailure(
            .source, "the archive could not be read\(place): \(reason ?? libraryMessage(archive))")
    }
}

/// libarchive converts names by the locale; the C locale would lose every name that is not ASCII.
enum UTF8Names {
    private static let isEnabled: Bool = setlocale(LC_CTYPE, "C.UTF-8") != nil || setlocale(LC_CTYPE, "UTF-8") != nil

    static func enable() { _ = isEnabled }
}
