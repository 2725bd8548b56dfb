// SPDX-License-Identifier: Apache-2.0
public import Builds
public import ByteCoding
internal import Archives
internal import Crypto
internal import Foundation

/// The identity of a folder of files, computed from every one of them.
public struct SourceTree: Hashable, Sendable {
    /// See ``TreeDigest``.
    public let digest: Digest256
    /// The id that git would give the folder as a tree; `nil` where git cannot hold it (a `.git` within).
    public let gitTree: GitObjectID?
    /// The trees of the submodules, by their paths, each as if it stood alone.
    public let submoduleTrees: [String: GitObjectID]
    /// Files and links.
    public let fileCount: Int
    /// Bytes of all files.
    public let size: Int64

    /// Reads the folder at `root`, all but a top-level `.git`, once.
    ///
    /// Throws `SourceError` at anything but files, folders and symbolic links, at names that are not UTF-8, and at
    /// links that lead out of the folder; `ResourceLimitError` beyond `limits`; and what `checkpoint` throws, which is
    /// called often.
    ///
    /// - Parameter submodules: the commits of git submodules by their paths; their folders count as commits for
    ///   ``gitTree``, and as files for ``digest``.
    public init(
        of root: String, limits: BuildLimits, submodules: [String: GitObjectID] = [:],
        checkpoint: () throws(BuildFailure) -> Void = { () throws(BuildFailure) in }
    ) throws(BuildFailure) {
        var walk = TreeWalk(root: root, limits: limits, submodules: submodules)
        let tree = try walk.folder("", depth: 0, checkpoint)
        try walk.checkLinks(checkpoint)
        digest = walk.digest.digest
        gitTree = tree.id
        submoduleTrees = walk.submoduleTrees
        fileCount = walk.fileCount
        size = walk.size
    }
}

/// One reading of a folder, which feeds SHA-256 and git's SHA-1 from the same bytes.
private struct TreeWalk {
    struct Folder {
        var isEmpty: Bool
        /// `nil` where git cannot hold it.
        var id: GitObjectID?
    }

    private let root: String
    private let limits: BuildLimits
    private let submodules: [String: GitObjectID]
    private let buffer = FileBuffer()
    private var links = LinkMap()
    private var linkPaths: [String] = []
    private var entryCount = 0
    private(set) var digest = TreeDigest()
    private(set) var submoduleTrees: [String: GitObjectID] = [:]
    private(set) var fileCount = 0
    private(set) var size: Int64 = 0

    init(root: String, limits: BuildLimits, submodules: [String: GitObjectID]) {
        self.root = root
        self.limits = limits
        self.submodules = submodules
    }

    mutating func folder(
        _ path: String, depth: Int, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) -> Folder {
        guard depth <= limits.pathDepth else {
            throw BuildFailure(
                .resourceLimit, "the source nests more than \(limits.pathDepth) folders, the limit of the path depth")
        }
        var children = try FolderListing(onDisk(path), shownAs: path).children
        if depth == 0 { children.removeAll { $0.name == ".git" } }
        if children.isEmpty { digest.add(.folder, path: path + "/", content: TreeDigest.nothing) }
        var tree = GitTreeBuilder()
        var isRepresentable = true
        for child in children {
            try checkpoint()
            if child.name.lowercased() == ".git" { isRepresentable = false }
            isRepresentable = try add(child, in: path, depth: depth, to: &tree, checkpoint) && isRepresentable
        }
        return Folder(isEmpty: tree.isEmpty, id: isRepresentable ? tree.id : nil)
    }

    /// Whether git can hold the child.
    private mutating func add(
        _ child: FolderListing.Child, in parent: String, depth: Int, to tree: inout GitTreeBuilder,
        _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) -> Bool {
        let path = parent.isEmpty ? child.name : parent + "/" + child.name
        try countEntry(path)
        switch child.kind {
        case .file(let executable):
            tree.add(executable ? .executable : .file, child.name, try file(path, executable: executable, checkpoint))
        case .link:
            tree.add(.link, child.name, try link(path))
        case .folder:
            let folder = try folder(path, depth: depth + 1, checkpoint)
            if let commit = submodules[path] {
                submoduleTrees[path] = folder.id
                tree.add(.submodule, child.name, commit)
                return true
            }
            guard let id = folder.id else { return false }
            if !folder.isEmpty { tree.add(.folder, child.name, id) }
        }
        return true
    }

    private mutating func file(
        _ path: String, executable: Bool, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) -> GitObjectID {
        let file = try OpenFile(reading: onDisk(path), otherwise: .source)
        let length = try file.size()
        size += length
        guard size <= limits.unpackedSize else {
            throw BuildFailure(
                .resourceLimit, "the source is larger than \(limits.unpackedSize) bytes, the limit of its size")
        }
        var content = Digest256.Stream()
        var blob = GitObjectID.Stream(type: "blob", size: length)
        var read: Int64 = 0
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            let bytes = buffer.prefix(count)
            content.update(bytes)
            blob.update(bytes)
            read += Int64(count)
            try checkpoint()
        }
        guard read == length else {
            throw BuildFailure(.source, "the file '\(printable(path))' changed while it was read")
        }
        fileCount += 1
        digest.add(executable ? .executable : .file, path: path, content: content.digest)
        return blob.id
    }

    private mutating func link(_ path: String) throws(BuildFailure) -> GitObjectID {
        let target = try FolderListing.target(ofLink: onDisk(path), shownAs: path, limits: limits)
        links.add(path, target: target)
        linkPaths.append(path)
        fileCount += 1
        digest.add(.link, path: path, content: Digest256(of: Array(target.utf8)))
        return GitObjectID(of: "blob", Array(target.utf8))
    }

    func checkLinks(_ checkpoint: () throws(BuildFailure) -> Void) throws(BuildFailure) {
        for path in linkPaths {
            try checkpoint()
            guard links.staysInside(path) else {
                throw BuildFailure(
                    .source,
                    "the symbolic link '\(printable(path))' of the source leads out of it, or is endless;"
                        + " a source must hold all that it uses")
            }
        }
    }

    private mutating func countEntry(_ path: String) throws(BuildFailure) {
        entryCount += 1
        guard entryCount <= limits.fileCount else {
            throw BuildFailure(
                .resourceLimit, "the source holds more than \(limits.fileCount) files, the limit of the file count")
        }
        guard path.utf8.count <= limits.pathLength else {
            throw BuildFailure(
                .resourceLimit,
                "the source holds a path longer than \(limits.pathLength) bytes ('\(printable(path))')")
        }
    }

    private func onDisk(_ path: String) -> String { path.isEmpty ? root : root + "/" + path }
}
