// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import NIOPosix
import Synchronization

/// The copies of results for `Content-Encoding: zstd`. Each is read through before it is first served, and left alone
/// where its seal does not fit: the plain result takes its place.
final class EncodedResults: Sendable {
    /// More than anybody fetches at a time; beyond it all are read again.
    private static let capacity = 10_000

    /// Bytes of the copies that were read; `nil` for those that are missing or damaged.
    private let sizes = Mutex<[JobID: Int64?]>([:])

    /// The copy at `path`, open; `nil` where there is none to be served.
    func file(_ path: String, of job: JobID) async throws -> ResultFile? {
        try await size(path, of: job).flatMap { try ResultFile(path: path, size: $0) }
    }

    private func size(_ path: String, of job: JobID) async throws -> Int64? {
        if let known = sizes.withLock({ $0[job] }) { return known }
        let size = try await NIOThreadPool.singleton.runIfActive { sizeOfWholeEncodedCopy(path) }
        sizes.withLock { sizes in
            if sizes.count >= Self.capacity { sizes = [:] }
            sizes[job] = .some(size)
        }
        return size
    }
}
