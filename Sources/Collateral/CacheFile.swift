// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation

/// Whole files, read and replaced.
enum CacheFile {
    /// `nil` where it is not there, no regular file, larger than `limit`, or cannot be read.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= off_t(limit) else {
            return nil
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { return nil }
        }
    }

    /// Replaces a file at once, so that a reader finds the old one or the new one.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(CollateralError) {
        var random = SystemRandomNumberGenerator()
        let temporary =
            "\(path).\(Hex.encode((0..<8).map { _ in UInt8.random(in: .min ... .max, using: &random) })).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        let isWritten = write(bytes, to: descriptor)
        let problem = errno
        close(descriptor)
        guard isWritten else {
            unlink(temporary)
            throw failure("write", path, problem)
        }
        guard rename(temporary, path) == 0 else {
            let problem = errno
            unlink(temporary)
            throw failure("write", path, problem)
        }
    }

    /// Makes a folder, and those above it, with these permissions.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(CollateralError) {
        guard mkdir(path, mode) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, let end = path.lastIndex(of: "/"), end != path.startIndex else {
            throw failure("make the folder", path)
        }
        try makeFolder(String(path[..<end]), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make the folder", path) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private static func failure(_ verb: String, _ path: String, _ problem: Int32 = errno) -> CollateralError {
        CollateralError(.file, "could not \(verb) \(path): \(String(cString: strerror(problem)))")
    }
}
