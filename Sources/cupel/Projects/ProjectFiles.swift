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
        let root = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder) else {
            throw CommandFailure("there is no project at \(path)")
        }
        guard isFolder.boolValue else {
            throw CommandFailure(
                "\(path) is no folder", hint: "give the project's folder, or the URL of a git repository")
        }
        let place = URL(fileURLWithPath: excluded).standardizedFileURL
        let result = "\(place.deletingLastPathComponent().resolvingSymlinksInPath().path)/\(place.lastPathComponent)"
        let exclusion = PathParts.below(root, result)
        if let tree = try await GitTree.read(root, excluding: exclusion) {
            return ProjectFiles(
                root: root, entries: tree.entries, origin: .commit(id: tree.commit, differences: tree.differences))
        }
        return ProjectFiles(
            root: root, entries: try FolderTree.entries(of: root, excluding: exclusion), origin: .folder)
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
    func copy(to folder: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: false)
        var made: Set<[UInt8]> = [[]]
        for entry in entries {
            try Task.checkCancellation()
            let parent = PathParts.names(entry.path).dropLast().joined(separator: "/")
            do {
                if made.insert(Array(parent.utf8)).inserted {
                    try files.createDirectory(atPath: "\(folder)/\(parent)", withIntermediateDirectories: true)
                }
                try files.copyItem(atPath: "\(root)/\(entry.path)", toPath: "\(folder)/\(entry.path)")
            } catch {
                throw CommandFailure(
                    "\(Console.plain(entry.path)) of the project could not be copied: \(Self.reason(error))")
            }
        }
    }

    /// What the system said, where Foundation knows it.
    private static func reason(_ error: any Error) -> String {
        let cause = (error as? CocoaError)?.underlying as? POSIXError
        return cause.map { String(cString: strerror($0.code.rawValue)) } ?? error.localizedDescription
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
