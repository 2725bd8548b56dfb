// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Storage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An archive on its way to the disk: written in large pieces by a thread that may block, hashed in the same pass.
struct UploadFile: Sendable {
    /// Bytes kept back before they are written.
    private static let pieceSize = 256 << 10

    /// `nil` for an archive that is only hashed.
    let path: String?
    private let descriptor: Int32
    private let limit: Int64
    private var pending: [UInt8] = []
    private var digest = Digest256.Stream()
    private(set) var size: Int64 = 0

    /// Makes the file, which must not exist, for this user only. Throws a ``Refusal`` where the disk takes none, and
    /// from ``append(_:)`` where the archive exceeds `limit` bytes.
    init(path: String?, limit: Int64) throws(Refusal) {
        self.path = path
        self.limit = limit
        guard let path else {
            descriptor = -1
            return
        }
        descriptor = uninterrupted { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard descriptor >= 0 else { throw .storageFull }
    }

    mutating func append(_ bytes: [UInt8]) async throws(Refusal) {
        size += Int64(bytes.count)
        guard size <= limit else { throw .tooLarge(limit: limit) }
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pieceSize { try await flush(thenSync: false) }
    }

    /// Writes what is left and returns when the bytes are on the disk; the file's name need not be.
    mutating func finish() async throws(Refusal) -> Digest256 {
        try await flush(thenSync: true)
        if descriptor >= 0 { close(descriptor) }
        return digest.digest
    }

    /// Closes and removes the file. Not after ``finish()``.
    func discard() {
        guard let path else { return }
        close(descriptor)
        unlink(path)
    }

    private mutating func flush(thenSync isLast: Bool) async throws(Refusal) {
        let (descriptor, bytes, before) = (descriptor, pending, digest)
        pending = []
        let after = try? await DiskThreads.run { () throws(StorageError) -> Digest256.Stream? in
            var digest = before
            digest.update(bytes)
            guard descriptor >= 0 else { return digest }
            let isKept = Self.writeAll(bytes, to: descriptor) && (!isLast || uninterrupted { fsync(descriptor) } == 0)
            return isKept ? digest : nil
        }
        guard let after = after ?? nil else { throw .storageFull }
        digest = after
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = uninterrupted {
                    write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                }
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
    }
}
