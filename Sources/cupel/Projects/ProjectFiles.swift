// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Foundation

/// The files of a project folder that are to be built: those that git knows or would add, or all of them where the
/// project is not under git.
struct ProjectFiles {
    struct Entry: Hashable {
        enum Kind: Hashable {
            case file(executable: Bool)
            case link(target: String)
        }

        /// Relative to the project, `/` between its components.
        let path: String
        let kind: Kind
    }

    /// How the files relate to a commit.
    enum Origin {
        case folder
        /// Paths of which the project differs from the commit, each with how; empty where the two are equal.
        case commit(id: String, differences: [String])
    }

    /// Absolute.
    let root: String
    /// Sorted by the UTF-8 bytes of their paths.
    let entries: [Entry]
    let origin: Origin

    /// The project's name: that of its folder.
    var name: String { Self.name(of: root) }

    static func name(of root: String) -> String {
        ArchiveName.safeFolderName(PathParts.last(root) ?? "")
    }

    /// Lists the project at `path`; what lies below `excluded` (the folder that results go to) is no part of it.
    static func list(_ path: String, excluding excluded: String) async throws -> ProjectFiles {
        guard let root = realPath(path) else { throw CommandFailure("there is no project at \(path)") }
        var status = stat()
        guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(
                "\(path) is no folder", hint: "give the project's folder, or the URL of a git repository")
        }
        let exclusion = place(of: excluded).flatMap { PathParts.below(root, $0) }
        if let tree = try await GitTree.read(root, excluding: exclusion) {
            return ProjectFiles(
                root: root, entries: tree.entries, origin: .commit(id: tree.commit, differences: tree.differences))
        }
        return ProjectFiles(
            root: root, entries: try FolderTree.entries(of: root, excluding: exclusion), origin: .folder)
    }

    /// Without links, `.` and `..`; `nil` where nothing is there, or its name is not UTF-8.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    /// Where a folder is that need not be there yet, nor the folders around it; a link itself is not followed.
    private static func place(of path: String) -> String? {
        var parts = PathParts.names(path).filter { $0 != "." }
        var missing: [String] = []
        guard !parts.isEmpty, parts.last != ".." else { return realPath(path) }
        repeat {
            missing.insert(parts.removeLast(), at: 0)
            let folder = (PathParts.isAbsolute(path) ? "/" : "./") + parts.joined(separator: "/")
            if let real = realPath(folder) { return ([real == "/" ? "" : real] + missing).joined(separator: "/") }
        } while !parts.isEmpty
        return nil
    }

    /// Packs the files, below a top folder with the project's name.
    func pack(to path: String) throws {
        let writer = try TarGzipWriter(path: path)
        for entry in entries {
            try Task.checkCancellation()
            let packedName = "\(name)/\(entry.path)"
            switch entry.kind {
            case .file(let executable):
                try writer.add(file: "\(root)/\(entry.path)", as: packedName, executable: executable)
            case .link(let target): try writer.add(linkTo: target, as: packedName)
            }
        }
        try writer.close()
    }

    /// Copies the files into `folder`, which is made.
    ///
    /// Not with Foundation: it does not see all slashes of a path, and searches without end for those.
    func copy(to folder: String) throws {
        guard mkdir(folder, 0o755) == 0 else { throw writingFailed(folder) }
        var made: Set<[UInt8]> = []
        let buffer = FileBuffer()
        for entry in entries {
            try Task.checkCancellation()
            var parent = folder
            for name in PathParts.names(entry.path).dropLast() {
                parent += "/" + name
                guard made.insert(Array(parent.utf8)).inserted else { continue }
                guard mkdir(parent, 0o755) == 0 else { throw writingFailed(parent) }
            }
            let place = "\(folder)/\(entry.path)"
            switch entry.kind {
            case .file(let executable):
                let original = try OpenFile(reading: "\(root)/\(entry.path)", otherwise: .source)
                let copy = try OpenFile(creating: place, mode: executable ? 0o755 : 0o644)
                while case let count = try original.read(into: buffer.bytes), count > 0 {
                    try copy.write(buffer.prefix(count))
                }
            case .link(let target):
                guard symlink(target, place) == 0 else { throw writingFailed(place) }
            }
        }
    }
}

extension ProjectFiles.Entry {
    /// What is on disk at `path` below `root`; `nil` where nothing is, or a folder. Throws at devices, FIFOs, sockets.
    init?(_ path: String, in root: String) throws {
        var status = stat()
        guard lstat("\(root)/\(path)", &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self.init(path: path, kind: .file(executable: status.st_mode & 0o100 != 0))
        case S_IFLNK:
            let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(path)")
            self.init(path: path, kind: .link(target: target))
        case S_IFDIR: return nil
        default:
            throw CommandFailure(
                "\(Console.plain(path)) is no file, folder or link", hint: "remove it from the project")
        }
    }
}
