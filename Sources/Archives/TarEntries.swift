// SPDX-License-Identifier: Apache-2.0
public import Builds
public import ByteCoding

/// An entry of a result tarball.
public struct TarEntry: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case file(executable: Bool)
        case folder
        /// Symbolic, with its text.
        case link(target: String)
        /// Another name for a file that came before.
        case hardLink
    }

    /// Relative, without `.`, `..` and empty components.
    public let path: String
    public let kind: Kind
    /// Bytes of a file; 0 for all else.
    public let size: Int64
}

/// The content of the entry that ``forEachEntry(ofTarGzip:limits:_:)`` stands at. Usable during that call only.
public final class TarEntryContent {
    private let reader: ArchiveReader
    private let size: Int64

    init(_ reader: ArchiveReader, size: Int64) {
        self.reader = reader
        self.size = size
    }

    /// The next bytes, valid until the next call; `nil` at the end.
    public func nextBlock() throws(BuildFailure) -> UnsafeRawBufferPointer? { try reader.nextBlock() }

    /// All that is left. Throws `ResourceLimitError` where the file has more than `limit` bytes.
    public func bytes(limit: Int) throws(BuildFailure) -> [UInt8] {
        guard size <= Int64(limit) else {
            throw BuildFailure(.resourceLimit, "a file of \(size) bytes, where at most \(limit) are expected")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        while let block = try nextBlock() { bytes.append(contentsOf: block) }
        return bytes
    }

    /// The digest of all that is left.
    public func sha256() throws(BuildFailure) -> Digest256 {
        var stream = Digest256.Stream()
        while let block = try nextBlock() { stream.update(block) }
        return stream.digest
    }
}

/// Calls `body` with each entry of a gzip-compressed tar file, in the file's order; nothing is written to disk.
///
/// Throws what `body` throws, and as ``unpackArchive(file:into:limits:checkpoint:)`` does; a name that comes twice is
/// refused. Links are shown, not followed. Only when this returns has the whole file been found good.
public func forEachEntry(
    ofTarGzip path: String, limits: BuildLimits,
    _ body: (TarEntry, TarEntryContent) throws(BuildFailure) -> Void
) throws(BuildFailure) {
    let reader = try ArchiveReader(path, formats: [.tarGzip], limits: limits)
    var names: Set<[UInt8]> = []
    while let entry = try reader.next() {
        guard names.insert(entry.path.bytes).inserted || entry.kind == .folder else {
            throw BuildFailure(.source, "the archive holds '\(printable(entry.path.text))' twice")
        }
        let shown = TarEntry(path: entry.path.text, kind: TarEntry.Kind(entry.kind), size: entry.size)
        try body(shown, TarEntryContent(reader, size: entry.size))
    }
}

extension TarEntry.Kind {
    init(_ kind: ArchiveEntry.Kind) {
        switch kind {
        case .file(let executable): self = .file(executable: executable)
        case .folder: self = .folder
        case .link(let target): self = .link(target: target)
        case .hardLink: self = .hardLink
        }
    }
}
