// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import CArchive

/// The bytes within one gzip file (RFC 1952), block by block.
///
/// libarchive inflates; this adds what it leaves out: the check sum and the length are compared, a second member and
/// bytes after the end are refused, and a limit is kept on all that is inflated, whether or not an entry uses it.
final class GzipStream {
    private let archive: OpaquePointer
    private let file: OpenFile
    private let fileSize: Int64
    private var budget: ArchiveBudget
    private var crc = CRC32()
    private var isOver = false
    /// Bytes inflated so far.
    private(set) var length: Int64 = 0
    /// Zero bytes at the end of what was inflated so far.
    private(set) var trailingZeros: Int64 = 0
    /// What went wrong in a callback from C, which cannot throw.
    private(set) var failure: BuildFailure?

    /// Bytes of the smallest gzip file's trailer: check sum and length.
    private static let trailerSize: Int64 = 8
    private static let blockSize = 256 * 1024

    init(_ file: OpenFile, budget: ArchiveBudget) throws(BuildFailure) {
        self.file = file
        self.budget = budget
        fileSize = try file.size()
        guard let archive = archive_read_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
        self.archive = archive
        var entry: OpaquePointer?
        // This one filter. Where libarchive looks for filters itself, it takes gzip within gzip off as well, and again.
        guard archive_read_append_filter(archive, ARCHIVE_FILTER_GZIP) == ARCHIVE_OK,
            archive_read_support_format_raw(archive) == ARCHIVE_OK,
            archive_read_open_fd(archive, file.descriptor, Self.blockSize) == ARCHIVE_OK,
            archive_read_next_header(archive, &entry) == ARCHIVE_OK
        else { throw Self.damaged(libraryMessage(archive)) }
    }

    deinit { archive_read_free(archive) }

    /// The next block, valid until the next call; `nil` at the end.
    func next() throws(BuildFailure) -> UnsafeRawBufferPointer? {
        if isOver { return nil }
        var address: UnsafeRawPointer?
        var count = 0
        var offset: Int64 = 0
        switch archive_read_data_block(archive, &address, &count, &offset) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF:
            isOver = true
            return nil
        default: throw Self.damaged(libraryMessage(archive))
        }
        let block = UnsafeRawBufferPointer(start: address, count: count)
        try budget.count(bytes: count)
        take(block)
        return block
    }

    /// `next()` for C: stores what it would throw. 0 at the end, negative on failure.
    func nextForLibrary(_ address: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        do throws(BuildFailure) {
            while let block = try next() {
                address?.pointee = block.baseAddress
                if !block.isEmpty { return block.count }
            }
            return 0
        } catch {
            failure = error
            return -1
        }
    }

    /// Inflates the rest and checks the whole: nothing but zeros beyond `used`, one member, nothing after it.
    func finish(used: Int64) throws(BuildFailure) {
        while try next() != nil {}
        guard length - used <= trailingZeros else {
            throw Self.damaged("bytes stand after the end of the tar file")
        }
        guard archive_filter_bytes(archive, -1) == fileSize else {
            throw Self.damaged("bytes stand after the end of the gzip data")
        }
        let trailer = try trailer()
        guard trailer.length == UInt32(truncatingIfNeeded: length), trailer.crc == crc.value else {
            throw Self.damaged("its check sum differs, or it is more than one gzip file joined together")
        }
    }

    private func take(_ block: UnsafeRawBufferPointer) {
        crc.update(block)
        length += Int64(block.count)
        if let last = block.lastIndex(where: { $0 != 0 }) {
            trailingZeros = Int64(block.count - 1 - last)
        } else {
            trailingZeros += Int64(block.count)
        }
    }

    private func trailer() throws(BuildFailure) -> (crc: UInt32, length: UInt32) {
        guard fileSize > Self.trailerSize else { throw Self.damaged("it is cut short") }
        try file.seek(to: fileSize - Self.trailerSize)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(Self.trailerSize), alignment: 8)
        defer { bytes.deallocate() }
        guard try file.read(into: bytes) == bytes.count else { throw Self.damaged("it is cut short") }
        return (
            UInt32(littleEndian: bytes.load(as: UInt32.self)),
            UInt32(littleEndian: bytes.load(fromByteOffset: 4, as: UInt32.self))
        )
    }

    private static func damaged(_ reason: String) -> BuildFailure {
        BuildFailure(.source, "the archive is not a whole gzip file: \(reason)")
    }
}

/// libarchive's own words for what went wrong last.
func libraryMessage(_ archive: OpaquePointer) -> String {
    archive_error_string(archive).map { printable(String(cString: $0)) } ?? "no reason is known"
}
