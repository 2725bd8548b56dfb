// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Files that are there after a power cut, once a call has returned: written, synced, named, and the name synced.
enum DurableFile {
    /// Writes a whole file that only its owner may read. It appears under its name complete, or not at all.
    static func write(_ bytes: [UInt8], to path: String) throws(StorageError) {
        let temporary = path + ".new"
        let descriptor = uninterrupted { open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw failure("write", temporary) }
        defer { close(descriptor) }
        try writeAll(bytes, to: descriptor, path: temporary)
        guard uninterrupted({ fsync(descriptor) }) == 0 else { throw failure("sync", temporary) }
        try move(temporary, to: path)
    }

    /// Makes an empty file that only its owner may read, where there is none.
    static func makeEmpty(_ path: String) throws(StorageError) {
        let descriptor = uninterrupted { open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw failure("open", path) }
        close(descriptor)
    }

    /// Renames a file whose content is durable already, replacing what is there.
    static func move(_ path: String, to target: String) throws(StorageError) {
        guard rename(path, target) == 0 else { throw failure("move", path) }
        try syncFolder(of: target)
    }

    /// Gives a file a second name, which must be free. Nothing is synced.
    static func link(_ path: String, as target: String) throws(StorageError) {
        guard Foundation.link(path, target) == 0 else { throw failure("link", path) }
    }

    /// Makes the names in the folder of `path` durable.
    static func syncFolder(of path: String) throws(StorageError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = uninterrupted { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard uninterrupted({ fsync(descriptor) }) == 0 else { throw failure("sync", folder) }
    }

    /// Makes a folder with these permissions, whatever the umask says; it may be there already.
    static func makeFolder(_ path: String, mode: mode_t) throws(StorageError) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make the folder", path) }
        guard chmod(path, mode) == 0 else { throw failure("set the permissions of", path) }
    }

    /// Writes all of `bytes`, however often the system takes less.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(StorageError) {
        let isWritten = bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = uninterrupted {
                    Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard isWritten else { throw failure("write", path) }
    }

    /// The first bytes of a file, at most `limit`.
    static func read(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
        let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        var size = 0
        while size < limit {
            let count = bytes.withUnsafeMutableBytes { space in
                uninterrupted { Foundation.read(descriptor, space.baseAddress.map { $0 + size }, limit - size) }
            }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            size += count
        }
        return Array(bytes[..<size])
    }

    static func failure(_ verb: String, _ path: String) -> StorageError {
        StorageError(.inputOutput, "could not \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
