// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
import Foundation

/// How a file was when it was finished.
public struct FileRecord: Hashable, Sendable {
    /// Bytes.
    public let size: Int64
    public let sha256: Digest256

    public init(size: Int64, sha256: Digest256) {
        self.size = size
        self.sha256 = sha256
    }

    /// Reads the whole file. Throws `corrupt` where there is none, `inputOutput` where it cannot be read.
    public init(of path: String) throws(StorageError) {
        let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw DurableFile.failure("open", path) }
            throw StorageError(.corrupt, "the file \(path) is missing: restore it")
        }
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        var digest = Digest256.Stream()
        var size: Int64 = 0
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw DurableFile.failure("read", path) }
            guard count > 0 else { break }
            digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += Int64(count)
        }
        self.init(size: size, sha256: digest.digest)
    }

    /// What differs from `other`, one clause; `nil` where nothing does.
    func difference(from other: FileRecord) -> String? {
        if size != other.size { return "it has \(size) bytes, expected \(other.size)" }
        if sha256 != other.sha256 { return "its SHA-256 is \(sha256), expected \(other.sha256)" }
        return nil
    }
}
