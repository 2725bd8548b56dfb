// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import Foundation

/// An open file of this machine; closed when the last reference goes.
///
/// Links are never followed in the last component, and no child process inherits the file.
package final class OpenFile {
    package let path: String
    let descriptor: Int32

    /// Opens a regular file for reading. Throws `kind` where it is not there, or not a regular file.
    package convenience init(reading path: String, otherwise kind: BuildFailure.Kind) throws(BuildFailure) {
        try self.init(reading: path, in: AT_FDCWD, otherwise: kind)
    }

    /// Opens a regular file for reading, by a path that is relative to an open folder. Throws `kind` where it is not
    /// there, or not a regular file.
    ///
    /// - Parameter folder: the folder's descriptor, which is only used here.
    package init(reading path: String, in folder: Int32, otherwise kind: BuildFailure.Kind) throws(BuildFailure) {
        descriptor = uninterrupted { openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        self.path = path
        guard descriptor >= 0 else {
            throw BuildFailure(kind, "\(printable(path)) could not be opened: \(systemError())")
        }
        guard try isRegular() else { throw BuildFailure(kind, "\(printable(path)) is not a regular file") }
    }

    /// Creates a file that is not there yet, with exactly these permissions.
    package init(creating path: String, mode: UInt32) throws(BuildFailure) {
        descriptor = uninterrupted { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        self.path = path
        guard descriptor >= 0 else { throw writingFailed(path) }
        guard fchmod(descriptor, mode_t(mode)) == 0 else { throw writingFailed(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Bytes.
    package func size() throws(BuildFailure) -> Int64 { Int64(try status().st_size) }

    /// Fills `buffer` as far as the file goes and returns the number of bytes; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(BuildFailure) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Foundation.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw BuildFailure(.internal, "\(printable(path)) could not be read: \(systemError())")
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Whether its owner may execute it.
    package func isExecutable() throws(BuildFailure) -> Bool { try status().st_mode & 0o100 != 0 }

    package func seek(to offset: Int64) throws(BuildFailure) {
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
            throw BuildFailure(.internal, "\(printable(path)) could not be read: \(systemError())")
        }
    }

    /// Writes all of `bytes`; a full disk is a `ResourceLimitError`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        var written = 0
        while written < bytes.count {
            let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw writingFailed(path) }
            written += count
        }
    }

    /// Writes all of `bytes`; a full disk is a `ResourceLimitError`.
    package func write(_ bytes: [UInt8]) throws(BuildFailure) {
        // A result, as withUnsafeBytes loses the type of the error.
        let written = bytes.withUnsafeBytes { bytes in Result { () throws(BuildFailure) in try write(bytes) } }
        try written.get()
    }

    /// Returns when the file's bytes are on the disk.
    package func synchronize() throws(BuildFailure) {
        guard uninterrupted({ fsync(descriptor) }) == 0 else { throw writingFailed(path) }
    }

    private func isRegular() throws(BuildFailure) -> Bool { try status().st_mode & S_IFMT == S_IFREG }

    private func status() throws(BuildFailure) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw BuildFailure(.internal, "\(printable(path)) could not be examined: \(systemError())")
        }
        return status
    }
}

/// What the last failed system call says of itself.
package func systemError() -> String { String(cString: strerror(errno)) }

/// What becomes of a failed write: a full disk or quota is the build's fault, all else the host's.
package func writingFailed(_ path: String) -> BuildFailure {
    let isFull = errno == ENOSPC || errno == EDQUOT || errno == EFBIG
    return BuildFailure(
        isFull ? .resourceLimit : .internal, "\(printable(path)) could not be written: \(systemError())")
}

/// A name for a message: control characters as U+FFFD, at most 200 characters.
package func printable(_ name: String) -> String {
    let safe = name.unicodeScalars.prefix(201).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: safe.prefix(200))
    return String(text) + (safe.count > 200 ? "…" : "")
}

/// One MiB for reading files piece by piece.
package final class FileBuffer {
    package let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)

    package init() {}
    deinit { bytes.deallocate() }

    /// The first `count` bytes.
    package func prefix(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }
}
