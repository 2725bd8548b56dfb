// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Storage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A finished result, open for reading. Nobody writes a result after it has its name, so readers at any speed see the
/// same bytes.
final class ResultFile: Sendable {
    /// Bytes in one piece.
    private static let pieceSize = 256 << 10

    let size: Int64
    private let descriptor: Int32

    /// `nil` where there is no such file. Throws where it cannot be opened at the moment, which is another thing to say
    /// of a result.
    ///
    /// - Parameter size: the bytes to be served, where it is not all of them.
    init?(path: String, size: Int64? = nil) throws(Refusal) {
        descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .resultUnreadable
        }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        self.size = size ?? Int64(facts.st_size)
    }

    deinit { close(descriptor) }

    /// The next piece of `range`, not empty; throws where the file is shorter than it was.
    func read(_ range: Range<Int64>) async throws -> ByteBuffer {
        let count = min(Int64(Self.pieceSize), range.upperBound - range.lowerBound)
        let descriptor = descriptor
        return try await NIOThreadPool.singleton.runIfActive {
            var piece = ByteBufferAllocator().buffer(capacity: Int(count))
            let found = piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Int(count)) { space in
                let count = Int(count)
                return max(0, uninterrupted { pread(descriptor, space.baseAddress, count, off_t(range.lowerBound)) })
            }
            guard found > 0 else { throw IOError(errnoCode: EIO, reason: "the result ended early") }
            return piece
        }
    }
}
