// SPDX-License-Identifier: Apache-2.0
public import Builds
public import ByteCoding

/// Writes a gzip-compressed tar file whose bytes depend on names, contents and the executable bit alone: no times, no
/// owners. The order is the caller's; for the same bytes from the same files, sort by the names' UTF-8 bytes.
///
/// Each file is digested in the same pass that packs it, so that what is signed is what is packed. A writer that goes
/// away without ``close()`` removes its files.
public final class TarGzipWriter {
    /// Whether the encoded copy that was asked for is whole and on the disk: known after ``close()``.
    public private(set) var hasEncodedCopy = false
    private let file: TarFile
    private let copy: EncodedCopy?
    private let buffer = FileBuffer()
    private var isClosed = false

    /// Creates the file at `path`, which must not be there yet; only its owner may read it.
    ///
    /// - Parameter encodedCopy: where the same tar file is to be written for `Content-Encoding: zstd`, on a thread of
    ///   its own: zstd around a `.tar.gz` without compression, and an ``EncodedCopySeal``. It is left out where
    ///   there is no room for it, or libarchive cannot write it.
    public init(path: String, encodedCopy: String? = nil) throws(BuildFailure) {
        let copy = encodedCopy.map { EncodedCopy(path: $0) }
        do throws(BuildFailure) {
            // On a full disk the copy goes first.
            file = try TarFile(path: path, .gzip) { copy?.giveUp() ?? false }
        } catch {
            _ = copy?.giveUp()
            throw error
        }
        self.copy = copy
    }

    deinit { _ = copy?.giveUp() }

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
        try begin(TarHeader(name: name, kind: .file(size: size, executable: executable)))
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
        try begin(TarHeader(name: name, kind: .file(size: Int64(bytes.count), executable: false)))
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
        try begin(TarHeader(name: name, kind: .link(target: target)))
    }

    /// Ends the file and returns when its bytes are on the disk.
    public func close() throws(BuildFailure) {
        guard !isClosed else { return }
        try file.close()
        isClosed = true
        hasEncodedCopy = copy?.close() ?? false
    }

    private func begin(_ header: TarHeader) throws(BuildFailure) {
        try file.begin(header)
        copy?.begin(header)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        // First, so that both are at work at the same time.
        copy?.write(bytes)
        try file.write(bytes)
    }

    private func changed(_ name: String) -> BuildFailure {
        BuildFailure(.artifact, "'\(printable(name))' changed while it was packed")
    }
}
