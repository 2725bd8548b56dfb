// SPDX-License-Identifier: Apache-2.0
public import Builds
public import ByteCoding
internal import CArchive
internal import Foundation

/// Writes a gzip-compressed tar file whose bytes depend on names, contents and the executable bit alone: no times, no
/// owners. The order is the caller's; for the same bytes from the same files, sort by the names' UTF-8 bytes.
///
/// Each file is digested in the same pass that packs it, so that what is signed is what is packed. A writer that goes
/// away without ``close()`` removes its file.
public final class TarGzipWriter {
    private let archive: OpaquePointer
    private let file: OpenFile
    private let buffer = FileBuffer()
    private var isClosed = false

    /// zlib's level: 1 takes a third of the time of 6, for a result about a tenth larger.
    private static let compressionLevel = "1"

    /// Creates the file at `path`, which must not be there yet; only its owner may read it.
    public init(path: String) throws(BuildFailure) {
        UTF8Names.enable()
        file = try OpenFile(creating: path, mode: 0o600)
        guard let archive = archive_write_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
        self.archive = archive
        try check(archive_write_add_filter_gzip(archive))
        try check(archive_write_set_format_pax_restricted(archive))
        try check(archive_write_set_filter_option(archive, "gzip", "timestamp", nil))
        try check(archive_write_set_filter_option(archive, "gzip", "compression-level", Self.compressionLevel))
        try check(archive_write_open_fd(archive, file.descriptor))
    }

    deinit {
        if !isClosed { unlink(file.path) }
        archive_write_free(archive)
    }

    /// Packs the regular file at `path` (no link is followed) as `name`, and returns the digest of what was packed.
    /// Throws `ArtifactError` where it is no regular file, or changes in the meantime.
    @discardableResult
    public func add(file path: String, as name: String, executable: Bool) throws(BuildFailure) -> Digest256 {
        try add(OpenFile(reading: path, otherwise: .artifact), as: name, executable: executable)
    }

    /// Packs an open file, from where it stands, as `name`, and returns the digest of what was packed. Throws
    /// `ArtifactError` where it changes in the meantime.
    @discardableResult
    package func add(_ source: OpenFile, as name: String, executable: Bool) throws(BuildFailure) -> Digest256 {
        let size = try source.size()
        try begin(name, size: size, executable: executable)
        var digest = Digest256.Stream()
        var packed: Int64 = 0
        while case let count = try source.read(into: buffer.bytes), count > 0 {
            packed += Int64(count)
            guard packed <= size else { throw changed(name) }
            let bytes = buffer.prefix(count)
            digest.update(bytes)
            try write(bytes)
        }
        guard packed == size else { throw changed(name) }
        return digest.digest
    }

    /// Packs `bytes` as the file `name`, not executable, and returns their digest.
    @discardableResult
    public func addBytes(_ bytes: [UInt8], as name: String) throws(BuildFailure) -> Digest256 {
        try begin(name, size: Int64(bytes.count), executable: false)
        // Not in the closure of withUnsafeBytes, which would lose the type of the error.
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(buffer.bytes.count)
            buffer.bytes.copyBytes(from: piece)
            try write(buffer.prefix(piece.count))
            rest = rest.dropFirst(piece.count)
        }
        return Digest256(of: bytes)
    }

    /// Packs a symbolic link called `name`, with the text of its target as it is.
    public func add(linkTo target: String, as name: String) throws(BuildFailure) {
        try writeHeader(name) { entry in
            archive_entry_set_filetype(entry, 0o120000)
            archive_entry_set_perm(entry, 0o777)
            archive_entry_set_symlink_utf8(entry, target)
        }
    }

    /// Ends the file and returns when its bytes are on the disk.
    public func close() throws(BuildFailure) {
        guard !isClosed else { return }
        try check(archive_write_close(archive))
        try file.synchronize()
        isClosed = true
    }

    private func begin(_ name: String, size: Int64, executable: Bool) throws(BuildFailure) {
        try writeHeader(name) { entry in
            archive_entry_set_filetype(entry, 0o100000)
            archive_entry_set_perm(entry, executable ? 0o755 : 0o644)
            archive_entry_set_size(entry, size)
        }
    }

    private func writeHeader(_ name: String, _ describe: (OpaquePointer) -> Void) throws(BuildFailure) {
        guard let entry = archive_entry_new() else { throw BuildFailure(.internal, "libarchive has no memory") }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname_utf8(entry, name)
        archive_entry_set_mtime(entry, 0, 0)
        describe(entry)
        try check(archive_write_header(archive, entry))
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        guard archive_write_data(archive, bytes.baseAddress, bytes.count) == bytes.count else {
            throw failed()
        }
    }

    private func check(_ result: Int32) throws(BuildFailure) {
        guard result == ARCHIVE_OK else { throw failed() }
    }

    private func failed() -> BuildFailure {
        let isFull = [ENOSPC, EDQUOT, EFBIG].contains(archive_errno(archive))
        return BuildFailure(
            isFull ? .resourceLimit : .internal, "the result could not be written: \(libraryMessage(archive))")
    }

    private func changed(_ name: String) -> BuildFailure {
        BuildFailure(.artifact, "'\(printable(name))' changed while it was packed")
    }
}
