// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation
public import NIOCore
import Synchronization

/// The event log of one job: an append-only file of the very bytes that every reader of the stream gets.
///
/// One writer at a time; any number of readers, who are never waited for. A reader holds an offset, is told of changes, and
/// asks for the next piece; it gets published bytes only. The latest pieces are kept in memory and shared.
public final class EventLog: BuildEventSink {
    /// How far a log is.
    public struct State: Hashable, Sendable {
        /// Published bytes.
        public let length: Int
        /// Published events.
        public let count: Int
        /// Whether the last event is `complete`: nothing follows.
        public let isComplete: Bool
    }

    /// One who is told of changes.
    public struct Listener: Hashable, Sendable {
        let number: Int
    }

    private struct Content {
        var length = 0
        var index = EventIndex()
        /// `nil` until the last event is there.
        var outcome: BuildFailure??
        var tail = EventTail()
        var listeners: [Int: @Sendable () -> Void] = [:]
        var lastListener = 0

        var state: State { State(length: length, count: index.count, isComplete: outcome != nil) }
    }

    private let path: String
    private let descriptor: Int32
    private let limit: Int64
    private let content: Mutex<Content>
    /// Held while the disk works, so that readers need not wait for it. The value is whether the file may have more
    /// bytes than are published.
    private let isTorn = Mutex(false)

    /// Opens a log, or makes it. A torn end, left by a crash before anybody saw it, is cut off.
    ///
    /// - Parameter limit: bytes; `complete` still fits beyond it.
    public init(path: String, limit: Int64) throws(StorageError) {
        self.path = path
        self.limit = limit
        let descriptor = uninterrupted { open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        self.descriptor = descriptor
        var opened = Content()
        do throws(StorageError) {
            let scan = try EventScan(of: descriptor, path: path)
            if scan.length < scan.size, uninterrupted({ ftruncate(descriptor, off_t(scan.length)) }) != 0 {
                throw DurableFile.failure("cut the torn end of", path)
            }
            opened.length = scan.length
            opened.index = scan.index
            opened.outcome = try scan.outcome(path: path)
        } catch {
            close(descriptor)
            throw error
        }
        content = Mutex(opened)
    }

    deinit { close(descriptor) }

    public var state: State { content.withLock { $0.state } }

    /// How the build ended: `nil` while it has not, `.some(nil)` where it was good.
    public var outcome: BuildFailure?? { content.withLock { $0.outcome } }

    /// Adds events, all of them or none. `complete` may only come last, once; it is synced before anybody sees it.
    ///
    /// Throws `ResourceLimitError` where the log would exceed its limit or the disk is full, `InternalError` where the
    /// log is complete.
    public func append(_ events: [BuildEvent]) throws(BuildFailure) {
        guard !events.isEmpty else { return }
        let batch = try EventBatch(events)
        try isTorn.withLock { (isTorn) throws(BuildFailure) in
            try write(batch, isTorn: &isTorn)
            publish(batch)
        }
    }

    private func write(_ batch: EventBatch, isTorn: inout Bool) throws(BuildFailure) {
        let state = state
        guard !state.isComplete else {
            throw BuildFailure(.internal, "the event log is complete: nothing can follow")
        }
        guard batch.limitedSize == 0 || Int64(state.length + batch.limitedSize) <= limit else {
            throw BuildFailure(.resourceLimit, "the build's log has more than \(limit) bytes, the limit log_size")
        }
        do throws(StorageError) {
            if isTorn { try cut(to: state.length) }
            if batch.outcome != nil { try syncNames() }
            try DurableFile.writeAll(batch.bytes, to: descriptor, path: path)
            if batch.outcome != nil, uninterrupted({ fsync(descriptor) }) != 0 {
                throw DurableFile.failure("sync", path)
            }
            isTorn = false
        } catch {
            isTorn = uninterrupted { ftruncate(descriptor, off_t(state.length)) } != 0
            throw BuildFailure(.resourceLimit, "the build's log could not be kept: \(error.message)")
        }
    }

    /// The names of a result, of the log and of the folder that holds them are on the disk before the log says that the
    /// build is over.
    private func syncNames() throws(StorageError) {
        try DurableFile.syncFolder(of: path)
        guard let end = path.lastIndex(of: "/") else { return }
        try DurableFile.syncFolder(of: String(path[..<end]))
    }

    private func cut(to length: Int) throws(StorageError) {
        guard uninterrupted({ ftruncate(descriptor, off_t(length)) }) == 0 else {
            throw DurableFile.failure("cut the torn end of", path)
        }
    }

    private func publish(_ batch: EventBatch) {
        let listeners = content.withLock { content in
            content.index.add(starts: batch.starts, from: content.length)
            content.tail.add(ByteBuffer(bytes: batch.bytes), at: content.length)
            content.length += batch.bytes.count
            content.outcome = batch.outcome
            // Few are behind by more than the last events, and nobody is ahead: the rest stays in the file.
            if batch.outcome != nil { content.tail.keepLatest() }
            return content.listeners.values
        }
        for notify in listeners { notify() }
    }

    /// Syncs what was written so far.
    public func sync() throws(StorageError) {
        guard uninterrupted({ fsync(descriptor) }) == 0 else { throw DurableFile.failure("sync", path) }
        try DurableFile.syncFolder(of: path)
    }

    /// Published bytes from `offset` on, at most `limit`; none where there are none yet.
    public func read(from offset: Int, limit: Int) throws(StorageError) -> ByteBuffer {
        let (length, latest) = content.withLock { ($0.length, $0.tail.read(from: offset, limit: limit)) }
        if let latest { return latest }
        let wanted = min(limit, length - offset)
        guard offset >= 0, wanted > 0 else { return ByteBuffer() }
        var buffer = ByteBuffer()
        var status = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
            status = uninterrupted { pread(descriptor, bytes.baseAddress, wanted, off_t(offset)) }
            return max(0, status)
        }
        guard status > 0 else { throw DurableFile.failure("read", path) }
        return buffer
    }

    /// Where event number `number` (from 0) begins; the log's length for the event that comes next; `nil` beyond that.
    /// Throws `inputOutput` where the file cannot be read.
    public func offset(ofEvent number: Int) throws(StorageError) -> Int? {
        let (length, count, start) = content.withLock { ($0.length, $0.index.count, $0.index.start(before: number)) }
        guard number < count else { return number == count ? length : nil }
        guard let start else { return nil }
        return try EventScan.offset(skipping: start.skip, from: start.offset, descriptor: descriptor, path: path)
    }

    /// Has `notify` called after each change, on the thread that made it, until ``ignore(_:)``: it must return at once. Whoever
    /// looks at ``state`` after this call misses nothing.
    public func listen(_ notify: @escaping @Sendable () -> Void) -> Listener {
        content.withLock { content in
            content.lastListener += 1
            content.listeners[content.lastListener] = notify
            return Listener(number: content.lastListener)
        }
    }

    /// Calls a listener no more, but for a change that happens right now.
    public func ignore(_ listener: Listener) {
        content.withLock { _ = $0.listeners.removeValue(forKey: listener.number) }
    }

    /// The file, open once more; the caller closes it.
    public func duplicateDescriptor() throws(StorageError) -> Int32 {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw DurableFile.failure("open", path) }
        return duplicate
    }
}
