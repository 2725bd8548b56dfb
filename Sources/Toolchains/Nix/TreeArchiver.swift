// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Foundation

/// Walks a file tree by open folders, so that no name is resolved twice, and writes its archive to a sink.
enum TreeArchiver {
    /// A name on disk: bytes without a zero, as Nix knows no other encoding.
    private typealias Name = [UInt8]

    private struct Unreadable: Error {
        let name: Name
        let reason: String
    }

    static func write<Hash>(_ path: String, to sink: inout ArchiveSink<Hash>) throws(BuildFailure) {
        do throws(Unreadable) {
            sink.string("nix-archive-1")
            try node(Array(path.utf8), in: AT_FDCWD, depth: 0, to: &sink)
        } catch {
            throw failure(error, path)
        }
    }

    /// The bytes of the regular file at `path`, without an archive around them.
    static func writeContents<Hash>(of path: String, to sink: inout ArchiveSink<Hash>) throws(BuildFailure) {
        do throws(Unreadable) {
            let name = Array(path.utf8)
            guard try status(of: name, in: AT_FDCWD).st_mode & S_IFMT == S_IFREG else {
                throw Unreadable(name: name, reason: "it is not a regular file")
            }
            let descriptor = try open(name, in: AT_FDCWD, O_NONBLOCK)
            defer { close(descriptor) }
            try contents(of: descriptor, name, count: try regular(descriptor, name).size, to: &sink)
        } catch {
            throw failure(error, path)
        }
    }

    private static func node<Hash>(
        _ name: Name, in folder: Int32, depth: Int, to sink: inout ArchiveSink<Hash>
    ) throws(Unreadable) {
        sink.string("(")
        sink.string("type")
        let status = try status(of: name, in: folder)
        switch status.st_mode & S_IFMT {
        case S_IFREG: try file(name, in: folder, to: &sink)
        case S_IFDIR: try directory(name, in: folder, depth: depth, to: &sink)
        case S_IFLNK:
            sink.string("symlink")
            sink.string("target")
            sink.string(try target(of: name, in: folder))
        default: throw Unreadable(name: name, reason: "it is neither a file, a folder nor a link")
        }
        sink.string(")")
    }

    private static func file<Hash>(
        _ name: Name, in folder: Int32, to sink: inout ArchiveSink<Hash>
    ) throws(Unreadable) {
        let descriptor = try open(name, in: folder, O_NONBLOCK)
        defer { close(descriptor) }
        let (size, mode) = try regular(descriptor, name)
        sink.string("regular")
        if mode & S_IXUSR != 0 {
            sink.string("executable")
            sink.string("")
        }
        sink.string("contents")
        sink.number(UInt64(size))
        try contents(of: descriptor, name, count: size, to: &sink)
        sink.pad(UInt64(size))
    }

    private static func directory<Hash>(
        _ name: Name, in folder: Int32, depth: Int, to sink: inout ArchiveSink<Hash>
    ) throws(Unreadable) {
        guard depth < NixArchive.maximumDepth else {
            throw Unreadable(name: name, reason: "more than \(NixArchive.maximumDepth) folders are within each other")
        }
        let descriptor = try open(name, in: folder, O_DIRECTORY)
        defer { close(descriptor) }
        sink.string("directory")
        for entry in try entries(of: descriptor, name) {
            sink.string("entry")
            sink.string("(")
            sink.string("name")
            sink.string(entry)
            sink.string("node")
            try node(entry, in: descriptor, depth: depth + 1, to: &sink)
            sink.string(")")
        }
    }

    /// Exactly `count` bytes: the archive has their number before them.
    private static func contents<Hash>(
        of descriptor: Int32, _ name: Name, count: Int, to sink: inout ArchiveSink<Hash>
    ) throws(Unreadable) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        var left = count
        while true {
            let got = read(descriptor, buffer.baseAddress, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw system(name) }
            guard got <= left, got > 0 || left == 0 else {
                throw Unreadable(name: name, reason: "it changed while it was read")
            }
            if got == 0 { return }
            sink.contents(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            left -= got
        }
    }

    /// Names without `.` and `..`, in the order of their bytes.
    private static func entries(of descriptor: Int32, _ name: Name) throws(Unreadable) -> [Name] {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw system(name) }
        guard let stream = fdopendir(copy) else {
            defer { close(copy) }
            throw system(name)
        }
        defer { closedir(stream) }
        var entries: [Name] = []
        errno = 0
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes != [UInt8(ascii: ".")], bytes != Array("..".utf8) { entries.append(bytes) }
            errno = 0
        }
        guard errno == 0 else { throw system(name) }
        return entries.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func target(of name: Name, in folder: Int32) throws(Unreadable) -> [UInt8] {
        let capacity = Int(PATH_MAX) + 1
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
        defer { buffer.deallocate() }
        let count = withCString(name) { readlinkat(folder, $0, buffer, capacity) }
        guard count >= 0 else { throw system(name) }
        guard count < capacity else { throw Unreadable(name: name, reason: "its target is too long") }
        return UnsafeBufferPointer(start: buffer, count: count).map { UInt8(bitPattern: $0) }
    }

    private static func open(_ name: Name, in folder: Int32, _ flags: Int32) throws(Unreadable) -> Int32 {
        let descriptor = withCString(name) { openat(folder, $0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags) }
        guard descriptor >= 0 else { throw system(name) }
        return descriptor
    }

    private static func status(of name: Name, in folder: Int32) throws(Unreadable) -> stat {
        var status = stat()
        guard withCString(name, { fstatat(folder, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else { throw system(name) }
        return status
    }

    /// Of an open file, where it still is a regular one.
    private static func regular(_ descriptor: Int32, _ name: Name) throws(Unreadable) -> (size: Int, mode: mode_t) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw system(name) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size >= 0 else {
            throw Unreadable(name: name, reason: "it changed while it was read")
        }
        return (Int(status.st_size), status.st_mode)
    }

    private static func withCString<Result>(_ name: Name, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (name + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // Never empty: the zero was just added.
                characters.baseAddress.map(body) ?? "".withCString(body)
            }
        }
    }

    private static func system(_ name: Name) -> Unreadable {
        Unreadable(name: name, reason: String(cString: strerror(errno)))
    }

    private static func failure(_ error: Unreadable, _ path: String) -> BuildFailure {
        let name = String(decoding: error.name, as: UTF8.self)
        let place = name == path ? "'\(shown(path))'" : "'\(shown(name))' in '\(shown(path))'"
        return BuildFailure(.inputVerification, "\(place) cannot be read for its hash: \(error.reason)")
    }
}
