// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Storage
import Testing

#if os(Linux)
    import Glibc

    /// Needs the right to mount a small file system of its own, which root has: skipped otherwise.
    @Suite(.enabled(if: SmallDisk.isPossible, "mounting a small disk needs root")) struct FullDiskTests {
        private let disk: SmallDisk

        init() throws { disk = try SmallDisk() }

        @Test func aBatchThatDoesNotFitIsNotKeptAndTheLogGoesOnWhenThereIsRoom() throws {
            let path = disk.path + "/events.sse"
            try write([UInt8](repeating: 0, count: SmallDisk.size / 2), to: disk.path + "/filler")
            let log = try EventLog(path: path, limit: 1 << 30)
            let batch = (0..<10).map { BuildEvent.build("\($0) " + String(repeating: "x", count: 1_500)) }
            var batches = 0
            var failure: BuildFailure.Kind?
            while failure == nil, batches < 1_000 {
                failure = kind { try log.append(batch) }
                if failure == nil { batches += 1 }
            }
            #expect(failure == .resourceLimit)
            #expect(batches > 0)
            #expect(log.state.count == 10 * batches)
            let kept = (0..<batches).flatMap { _ in wireBytes(batch) }
            #expect(try bytes(of: path) == kept)
            #expect(try log.allBytes() == kept)

            try FileManager.default.removeItem(atPath: disk.path + "/filler")
            try log.append(batch)
            try log.append([.complete(nil)])
            #expect(try bytes(of: path) == kept + wireBytes(batch + [.complete(nil)]))
            #expect(try EventLog(path: path, limit: 1 << 30).state == log.state)
        }

        @Test func aKeyThatCouldNotBeWrittenIsNotThere() async throws {
            let folder = try DataFolder(path: disk.path + "/data")
            try? write([UInt8](repeating: 0, count: SmallDisk.size), to: disk.path + "/filler")
            try fill()
            #expect(await code { _ = try folder.softwareKey { [UInt8](repeating: 1, count: 32) } } == .inputOutput)
            #expect(!exists(folder.path + "/software.key"))
        }

        /// Takes the last free byte.
        private func fill() throws {
            let descriptor = open(disk.path + "/rest", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            let block = [UInt8](repeating: 0, count: 4_096)
            while Glibc.write(descriptor, block, block.count) > 0 {}
        }
    }

    /// A file system in memory.
    private final class SmallDisk: Sendable {
        static let size = 256 << 10

        let path: String
        private let folder: TemporaryFolder

        /// Whether this process may mount one: it is tried.
        static let isPossible = (try? SmallDisk()) != nil

        init() throws {
            folder = try TemporaryFolder()
            path = folder.path
            guard mount("tmpfs", path, "tmpfs", 0, "size=\(Self.size)") == 0 else { throw POSIXError(.EPERM) }
        }

        deinit { umount2(path, Int32(MNT_DETACH)) }
    }
#endif
