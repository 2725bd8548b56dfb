// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
internal import Foundation

/// A file or folder that could not be read: what the system says of it.
package struct UnreadableFile: Error {
    package let reason: String

    static func system() -> UnreadableFile { UnreadableFile(reason: String(cString: strerror(errno))) }
}

/// Reading of files that somebody else wrote: never a device or FIFO, never more than a limit.
package enum ProjectFiles {
    package enum Kind: Hashable { case file, folder, link, other }

    package struct Entry: Hashable {
        package let name: String
        package let kind: Kind
    }

    /// The file's bytes; `nil` where nothing is at `path`.
    package static func read(_ path: String, limit: Int) throws(UnreadableFile) -> [UInt8]? {
        let descriptor = opened(path)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system()
        }
        defer { close(descriptor) }
        try requireRegular(descriptor)
        var bytes: [UInt8] = []
        try eachPiece(of: descriptor) { piece throws(UnreadableFile) in
            guard bytes.count + piece.count <= limit else {
                throw UnreadableFile(reason: "it has more than \(limit) bytes")
            }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    /// The digest of a regular file, read in pieces. Links are followed unless `followingLinks` is `false`.
    package static func digest(of path: String, followingLinks: Bool = false) throws(UnreadableFile) -> Digest256 {
        let descriptor = opened(path, followingLinks ? 0 : O_NOFOLLOW)
        guard descriptor >= 0 else { throw .system() }
        defer { close(descriptor) }
        try requireRegular(descriptor)
        var stream = Digest256.Stream()
        try eachPiece(of: descriptor) { piece throws(UnreadableFile) in stream.update(piece) }
        return stream.digest
    }

    /// Opens a file without waiting for anybody, again where a signal interrupted it.
    private static func opened(_ path: String, _ flags: Int32 = 0) -> Int32 {
        while true {
            let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags)
            guard descriptor < 0, errno == EINTR else { return descriptor }
        }
    }

    /// What stands in a folder, sorted by name.
    package static func list(_ folder: String) throws(UnreadableFile) -> [Entry] {
        guard let stream = opendir(folder) else { throw .system() }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee)) {
                    String(validatingCString: $0)
                }
            }
            guard let name else { throw UnreadableFile(reason: "it holds a name that is not UTF-8") }
            if name != ".", name != ".." { entries.append(Entry(name: name, kind: kind(of: folder + "/" + name))) }
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// What is at `path` itself, links not followed. `.other` too where nothing is.
    package static func kind(of path: String) -> Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .other }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// Whether somebody may run the file at `path`.
    package static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) != 0
    }

    /// The text of the link at `path`; `nil` where there is none, or it is not UTF-8.
    static func linkTarget(_ path: String) -> String? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard readlink(path, &text, text.count - 1) > 0 else { return nil }
        return text.withUnsafeBufferPointer { $0.baseAddress.flatMap { String(validatingCString: $0) } }
    }

    /// Writes a new file that everybody may read.
    static func write(_ text: String, to path: String) throws(UnreadableFile) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .system() }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0, fchmod(descriptor, 0o644) == 0 else { throw .system() }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes a symbolic link.
    static func makeLink(_ path: String, to target: String) throws(UnreadableFile) {
        guard symlink(target, path) == 0 || errno == EEXIST else { throw .system() }
    }

    /// Makes a folder that belongs to whoever owns the folder `other`.
    static func makeFolder(_ path: String, like other: String) throws(UnreadableFile) {
        var status = stat()
        guard lstat(other, &status) == 0, mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system() }
        guard geteuid() != 0 || chown(path, status.st_uid, status.st_gid) == 0 else { throw .system() }
    }

    /// Removes a file, or a link itself.
    static func remove(_ path: String) throws(UnreadableFile) {
        guard unlink(path) == 0 else { throw .system() }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The path without links, `.` and `..`; `nil` where nothing is there.
    package static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    /// Where `path`, seen from the folder `base`, really is: below `root`, or `nil` where it leads out of it or nothing
    /// is there.
    package static func confined(_ path: String, from base: String, root: String) -> String? {
        guard !path.utf8.contains(0) else { return nil }
        let whole = PathParts.isAbsolute(path) ? path : base + "/" + path
        guard let real = realPath(whole), let realRoot = realPath(root) else { return nil }
        return real.utf8.elementsEqual(realRoot.utf8) || PathParts.below(realRoot, real) != nil ? real : nil
    }

    private static func requireRegular(_ descriptor: Int32) throws(UnreadableFile) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system() }
        guard status.st_mode & S_IFMT == S_IFREG else { throw UnreadableFile(reason: "it is not a regular file") }
    }

    private static func eachPiece(
        of descriptor: Int32, _ body: (UnsafeRawBufferPointer) throws(UnreadableFile) -> Void
    ) throws(UnreadableFile) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system() }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

/// A name for a message: control characters as U+FFFD, at most 200 characters.
package func shown(_ name: String) -> String {
    let scalars = name.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text) + (name.unicodeScalars.count > 200 ? "…" : "")
}
