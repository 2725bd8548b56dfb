// SPDX-License-Identifier: Apache-2.0
import Builds
import NIOCore

/// Where every n-th event begins: enough to find any event with one short read. The more events there are, the larger n
/// is, so that a log of any length takes the same memory.
package struct EventIndex: Sendable {
    /// Places that are known at most.
    package static let capacity = 2048
    private var stride = 256
    package private(set) var count = 0
    private var offsets: [Int] = []

    package init() {}

    /// Places that are known.
    package var places: Int { offsets.count }

    /// Adds events that begin at `starts`, counted from `base`.
    mutating func add(starts: [Int], from base: Int) {
        for start in starts { add(start: base + start) }
    }

    package mutating func add(start: Int) {
        if count.isMultiple(of: stride) {
            if offsets.count == Self.capacity { halve() }
            if count.isMultiple(of: stride) { offsets.append(start) }
        }
        count += 1
    }

    private mutating func halve() {
        offsets = offsets.indices.filter { $0.isMultiple(of: 2) }.map { offsets[$0] }
        stride *= 2
    }

    /// The nearest known event at or before `number`, and how many events to skip from there.
    package func start(before number: Int) -> (offset: Int, skip: Int)? {
        guard number >= 0, number < count else { return nil }
        return (offsets[number / stride], number % stride)
    }
}

/// Events as they go to the file together.
struct EventBatch {
    let bytes: [UInt8]
    /// Where each event begins in ``bytes``.
    let starts: [Int]
    /// `nil` unless the last event is `complete`.
    let outcome: BuildFailure??

    /// Bytes that count towards a log's limit: all but `complete`, which must always fit.
    var limitedSize: Int { outcome == nil ? bytes.count : starts.last ?? 0 }

    /// Throws where something follows `complete`.
    init(_ events: [BuildEvent]) throws(BuildFailure) {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        var outcome: BuildFailure??
        for event in events {
            guard outcome == nil else { throw BuildFailure(.internal, "an event follows 'complete'") }
            starts.append(bytes.count)
            bytes += event.wireBytes
            if case .complete(let failure) = event { outcome = .some(failure?.bounded) }
        }
        self.bytes = bytes
        self.starts = starts
        self.outcome = outcome
    }
}

/// The latest bytes of a log, in pieces that readers share.
struct EventTail: Sendable {
    /// Bytes that are kept, and one piece more.
    static let capacity = 256 << 10
    private var pieces: ArraySlice<(offset: Int, bytes: ByteBuffer)> = []
    private var size = 0

    mutating func add(_ bytes: ByteBuffer, at offset: Int) {
        pieces.append((offset, bytes))
        size += bytes.readableBytes
        while size > Self.capacity, pieces.count > 1, let oldest = pieces.popFirst() {
            size -= oldest.bytes.readableBytes
        }
    }

    /// Keeps no more than the latest piece.
    mutating func keepLatest() {
        pieces = pieces.suffix(1)
        size = pieces.first?.bytes.readableBytes ?? 0
    }

    /// Bytes from `offset` on, at most `limit`; `nil` where they are not kept. One piece is handed out as it is.
    func read(from offset: Int, limit: Int) -> ByteBuffer? {
        guard let first = pieceIndex(holding: offset) else { return nil }
        let piece = pieces[first]
        let skip = offset - piece.offset
        let available = min(piece.bytes.readableBytes - skip, limit)
        guard var result = piece.bytes.getSlice(at: piece.bytes.readerIndex + skip, length: available) else {
            return nil
        }
        guard available < limit, first + 1 < pieces.endIndex else { return result }
        for (_, bytes) in pieces[(first + 1)...] {
            let room = limit - result.readableBytes
            guard room > 0, let slice = bytes.getSlice(at: bytes.readerIndex, length: min(room, bytes.readableBytes))
            else { break }
            result.writeImmutableBuffer(slice)
        }
        return result
    }

    private func pieceIndex(holding offset: Int) -> Int? {
        guard let oldest = pieces.first, let latest = pieces.last, offset >= oldest.offset,
            offset < latest.offset + latest.bytes.readableBytes
        else { return nil }
        var low = pieces.startIndex
        var high = pieces.endIndex
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle].offset <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
