// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import CArchive
internal import Foundation

/// What stands before the content of an entry.
package struct TarHeader: Sendable {
    package enum Kind: Sendable {
        case file(size: Int64, executable: Bool)
        /// Symbolic.
        case link(target: String)
    }

    let name: String
    let kind: Kind

    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// A tar file on its way to the disk, through compressors. Its bytes depend on what it is given alone: no times, no
/// owners. One that goes away before ``close()`` removes its file.
final class TarFile {
    enum Encoding {
        /// A `.tar.gz`.
        case gzip
        /// The same tar file in a gzip member without compression, and that in zstd, with an ``EncodedCopySeal``.
        case zstd
    }

    private let archive: OpaquePointer
    private let sink: FileSink
    private let encoding: Encoding
    private var isClosed = false

    /// zlib's level: 2, 3 and 4 make a result 2, 4 and 6 % smaller and take 7, 38 and 45 % more time.
    private static let gzipLevel = "1"
    /// 2 is a fifth faster, for 4 % more bytes.
    private static let zstdLevel = "3"
    /// More than none: then the bytes are the same for any number.
    private static let zstdThreads = "2"

    /// Creates the file at `path`, which must not be there yet; only its owner may read it.
    ///
    /// - Parameter makeRoom: called where the disk is full; whether it is worth trying once more.
    init(path: String, _ encoding: Encoding, makeRoom: @escaping () -> Bool = { false }) throws(BuildFailure) {
        UTF8Names.enable()
        self.encoding = encoding
        sink = FileSink(try OpenFile(creating: path, mode: 0o600), isSealed: encoding == .zstd, makeRoom: makeRoom)
        guard let archive = archive_write_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
        self.archive = archive
        try addFilters()
        try check(archive_write_set_format_pax_restricted(archive))
        try check(archive_write_set_bytes_per_block(archive, 0))
        try check(
            archive_write_open(
                archive, Unmanaged.passUnretained(sink).toOpaque(), nil,
                { _, sink, bytes, count in
                    guard let sink else { return -1 }
                    return Unmanaged<FileSink>.fromOpaque(sink).takeUnretainedValue()
                        .take(UnsafeRawBufferPointer(start: bytes, count: count))
                }, nil))
    }

    deinit {
        if !isClosed { sink.discard() }
        archive_write_free(archive)
    }

    func begin(_ header: TarHeader) throws(BuildFailure) {
        guard let entry = archive_entry_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname_utf8(entry, header.name)
        archive_entry_set_mtime(entry, 0, 0)
        switch header.kind {
        case .file(let size, let executable):
            archive_entry_set_filetype(entry, 0o100000)
            archive_entry_set_perm(entry, executable ? 0o755 : 0o644)
            archive_entry_set_size(entry, size)
        case .link(let target):
            archive_entry_set_filetype(entry, 0o120000)
            archive_entry_set_perm(entry, 0o777)
            archive_entry_set_symlink_utf8(entry, target)
        }
        try check(archive_write_header(archive, entry))
    }

    /// The next bytes of the entry that was begun last.
    func write(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        guard archive_write_data(archive, bytes.baseAddress, bytes.count) == bytes.count else { throw failed() }
    }

    /// Ends the file and returns when its bytes are on the disk.
    func close() throws(BuildFailure) {
        guard !isClosed else { return }
        try check(archive_write_close(archive))
        try sink.finish()
        isClosed = true
    }

    private func addFilters() throws(BuildFailure) {
        try check(archive_write_add_filter_gzip(archive))
        try check(archive_write_set_filter_option(archive, "gzip", "timestamp", nil))
        switch encoding {
        case .gzip: try set("gzip", "compression-level", Self.gzipLevel)
        case .zstd:
            try set("gzip", "compression-level", "0")
            try check(archive_write_add_filter_zstd(archive))
            try set("zstd", "compression-level", Self.zstdLevel)
            try set("zstd", "threads", Self.zstdThreads)
        }
    }

    private func set(_ filter: String, _ option: String, _ value: String) throws(BuildFailure) {
        try check(archive_write_set_filter_option(archive, filter, option, value))
    }

    private func check(_ result: Int32) throws(BuildFailure) {
        guard result == ARCHIVE_OK else { throw failed() }
    }

    private func failed() -> BuildFailure {
        let (kind, reason) = sink.failure.map { ($0.kind, $0.message) } ?? (.internal, libraryMessage(archive))
        return BuildFailure(kind, "the result could not be written: \(reason)")
    }
}

/// Where the bytes of a ``TarFile`` go. libarchive calls it through C, which cannot throw.
private final class FileSink {
    private(set) var failure: BuildFailure?
    private let file: OpenFile
    private let makeRoom: () -> Bool
    private var seal: EncodedCopySeal?
    private var size: Int64 = 0
    private var isDiscarded = false

    init(_ file: OpenFile, isSealed: Bool, makeRoom: @escaping () -> Bool) {
        self.file = file
        self.makeRoom = makeRoom
        seal = isSealed ? EncodedCopySeal() : nil
    }

    /// The number of bytes that were taken; negative on failure.
    func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        if isDiscarded { return bytes.count }
        do throws(BuildFailure) {
            try write(bytes)
            return bytes.count
        } catch {
            failure = error
            return -1
        }
    }

    func finish() throws(BuildFailure) {
        if let seal {
            // Not in the closure itself, which would lose the type of the error.
            try seal.bytes.withUnsafeBytes { bytes in Result { () throws(BuildFailure) in try file.write(bytes) } }
                .get()
        }
        try file.synchronize()
    }

    /// Removes the file, and takes what else comes for nothing.
    func discard() {
        isDiscarded = true
        unlink(file.path)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        do throws(BuildFailure) {
            try file.write(bytes)
        } catch {
            guard error.kind == .resourceLimit, makeRoom() else { throw error }
            try file.seek(to: size)
            try file.write(bytes)
        }
        size += Int64(bytes.count)
        seal?.update(bytes)
    }
}
