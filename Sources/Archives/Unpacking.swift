// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import Foundation

/// Unpacks a ZIP or gzip-compressed tar file into `folder`, which must be there and empty.
///
/// Made are files (mode 755 or 644), folders (755) and symbolic links that stay within the archive; a hard link becomes
/// a file of its own. Refused, with `SourceError` or `ResourceLimitError` and nothing left behind: absolute paths, `..`,
/// links that lead out, devices, FIFOs, sockets, names that are not UTF-8, a file's name that comes twice, encrypted or
/// sparse entries, damaged, cut or joined files, an archive without a file, and whatever exceeds `limits`.
///
/// - Parameter checkpoint: called often, from the calling thread; what it throws ends the unpacking.
public func unpackArchive(
    file: String, into folder: String, limits: BuildLimits,
    checkpoint: () throws(BuildFailure) -> Void = { () throws(BuildFailure) in }
) throws(BuildFailure) {
    try unpack(file, formats: [.zip, .tarGzip], into: folder, limits: limits, links: .all, checkpoint)
}

/// Unpacks a result, a gzip-compressed tar file, into `folder`, which must be there and empty. As ``unpackArchive``,
/// but hard links are refused.
public func unpackResult(tarGzip file: String, into folder: String, limits: BuildLimits) throws(BuildFailure) {
    try unpack(file, formats: [.tarGzip], into: folder, limits: limits, links: .symbolic) { () throws(BuildFailure) in }
}

/// The links that an archive may hold.
private enum AllowedLinks { case symbolic, all }

private func unpack(
    _ file: String, formats: Set<ArchiveFormat>, into folder: String, limits: BuildLimits, links: AllowedLinks,
    _ checkpoint: () throws(BuildFailure) -> Void
) throws(BuildFailure) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder), names.isEmpty else {
        throw BuildFailure(.internal, "the folder to unpack into is missing or not empty")
    }
    do throws(BuildFailure) {
        let reader = try ArchiveReader(file, formats: formats, limits: limits)
        var unpacking = Unpacking(reader, folder: folder, limits: limits, allowedLinks: links)
        try unpacking.run(checkpoint)
    } catch {
        emptyFolder(folder)
        throw error
    }
}

/// Removes what is in `folder`, as far as it can be removed; the folder stays.
package func emptyFolder(_ folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }
}

/// One archive on its way to a folder. What has been made is kept by name, so that no later entry goes through a link
/// or over a file; links are made last.
private struct Unpacking {
    private enum Made: Equatable { case file, folder, link }

    private let reader: ArchiveReader
    private let folder: String
    private let limits: BuildLimits
    private let allowedLinks: AllowedLinks
    private var made: [[UInt8]: Made] = [:]
    private var links: [(path: String, target: String)] = []
    private var hasFile = false

    init(_ reader: ArchiveReader, folder: String, limits: BuildLimits, allowedLinks: AllowedLinks) {
        self.reader = reader
        self.folder = folder
        self.limits = limits
        self.allowedLinks = allowedLinks
    }

    mutating func run(_ checkpoint: () throws(BuildFailure) -> Void) throws(BuildFailure) {
        while let entry = try reader.next() {
            try checkpoint()
            try makeParents(of: entry.path)
            try make(entry, checkpoint)
        }
        guard hasFile else { throw BuildFailure(.source, "the archive holds no file") }
        try makeLinks(checkpoint)
    }

    private mutating func make(
        _ entry: ArchiveEntry, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) {
        if entry.kind == .folder { return try makeFolder(entry.path.text, isImplied: false) }
        guard made[entry.path.bytes] == nil else { throw twice(entry.path.text) }
        switch entry.kind {
        case .folder: break
        case .file(let executable):
            try makeFile(entry.path, executable: executable, checkpoint)
        case .link(let target):
            links.append((entry.path.text, target))
            made[entry.path.bytes] = .link
        case .hardLink(let target):
            guard allowedLinks == .all else { throw unwantedLink(entry) }
            try copy(target, to: entry.path, checkpoint)
        }
    }

    private mutating func makeFile(
        _ path: EntryPath, executable: Bool, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) {
        let file = try OpenFile(creating: onDisk(path.text), mode: executable ? 0o755 : 0o644)
        made[path.bytes] = .file
        hasFile = true
        while let block = try reader.nextBlock() {
            try file.write(block)
            try checkpoint()
        }
    }

    /// A hard link shares its file's content and mode, whatever its own header says.
    private mutating func copy(
        _ target: String, to path: EntryPath, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) {
        guard let source = try EntryPath(target, limits: limits), made[source.bytes] == .file else {
            throw BuildFailure(
                .source,
                "the archive's hard link '\(printable(path.text))' leads to '\(printable(target))',"
                    + " which is no file that came before it")
        }
        let original = try OpenFile(reading: onDisk(source.text), otherwise: .internal)
        let mode: UInt32 = try original.isExecutable() ? 0o755 : 0o644
        let file = try OpenFile(creating: onDisk(path.text), mode: mode)
        made[path.bytes] = .file
        let buffer = FileBuffer()
        while case let count = try original.read(into: buffer.bytes), count > 0 {
            try reader.count(bytes: count, entries: 0)
            try file.write(buffer.prefix(count))
            try checkpoint()
        }
    }

    private mutating func makeParents(of path: EntryPath) throws(BuildFailure) {
        for parent in path.parents { try makeFolder(parent, isImplied: true) }
    }

    private mutating func makeFolder(_ path: String, isImplied: Bool) throws(BuildFailure) {
        switch made[Array(path.utf8)] {
        case .folder: return
        case .file, .link: throw twice(path)
        case nil: break
        }
        if isImplied { try reader.count(bytes: 0, entries: 1) }
        guard mkdir(onDisk(path), 0o755) == 0, chmod(onDisk(path), 0o755) == 0 else { throw writingFailed(path) }
        made[Array(path.utf8)] = .folder
    }

    private func makeLinks(_ checkpoint: () throws(BuildFailure) -> Void) throws(BuildFailure) {
        var map = LinkMap()
        for link in links { map.add(link.path, target: link.target) }
        for link in links {
            try checkpoint()
            guard link.target.utf8.count <= limits.pathLength, map.staysInside(link.path) else {
                throw BuildFailure(
                    .source,
                    "the archive's link '\(printable(link.path))' leads to '\(printable(link.target))',"
                        + " which is outside of the archive or endless")
            }
            guard symlink(link.target, onDisk(link.path)) == 0 else { throw writingFailed(link.path) }
        }
    }

    private func onDisk(_ path: String) -> String { folder + "/" + path }

    private func twice(_ path: String) -> BuildFailure {
        BuildFailure(.source, "the archive holds '\(printable(path))' twice, or as a file and a folder")
    }

    private func unwantedLink(_ entry: ArchiveEntry) -> BuildFailure {
        BuildFailure(.source, "the archive's entry '\(printable(entry.path.text))' is a hard link; files are expected")
    }
}
