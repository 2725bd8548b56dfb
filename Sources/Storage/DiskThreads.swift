// SPDX-License-Identifier: Apache-2.0
import NIOPosix

/// Threads that may wait for the disk. There are more of them than cores, since a disk syncs many files at one time in
/// hardly more time than one.
package enum DiskThreads {
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }()

    /// Runs `work` on one of them.
    package static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        do {
            return try await pool.runIfActive(work)
        } catch {
            throw error as? StorageError ?? StorageError(.inputOutput, "the work on the disk was stopped")
        }
    }
}
