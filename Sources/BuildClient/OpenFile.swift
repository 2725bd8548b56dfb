// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An open file of this machine, closed when nobody holds it any more.
final class OpenFile: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Opens a regular file to read.
    init(reading path: String) throws(BuildClientError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("read", path) }
        guard try status().st_mode & S_IFMT == S_IFREG else {
            throw BuildClientError(.file, "\(path) is no regular file")
        }
    }

    /// Makes a file that must not be there yet, readable for its owner only.
    init(creating path: String) throws(BuildClientError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", path) }
    }

    deinit { close(descriptor) }

    func size() throws(BuildClientError) -> Int64 { Int64(try status().st_size) }

    /// Empty at the end of the file.
    func read(upTo count: Int) throws(BuildClientError) -> [UInt8] {
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            repeat {
                result = Foundation.read(descriptor, buffer.baseAddress, count)
            } while result < 0 && errno == EINTR
            filled = max(0, result)
        }
        guard result >= 0 else { throw Self.failure("read", path) }
        return bytes
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BuildClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("write", path) }
            rest = rest.dropFirst(written)
        }
    }

    /// Begins anew: what was written is gone.
    func empty() throws(BuildClientError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw Self.failure("write", path)
        }
    }

    private func status() throws(BuildClientError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("read", path) }
        return status
    }

    private static func failure(_ verb: String, _ path: String) -> BuildClientError {
        BuildClientError(.file, "could not \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
