// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import StrictJSON

/// Reads a log file from front to back: how many whole events it has, where they begin, where the last one ends.
///
/// An event is one line and a blank line; no event holds a line end within.
struct EventScan {
    private static let blockSize = 1 << 20
    /// One event is found with less.
    private static let shortBlockSize = 64 << 10
    /// Bytes of the file.
    private(set) var size = 0
    /// Bytes of its whole events.
    private(set) var length = 0
    private(set) var index = EventIndex()
    private var lastStart = 0
    private let descriptor: Int32

    init(of descriptor: Int32, path: String) throws(StorageError) {
        self.descriptor = descriptor
        try Self.forEachBlock(of: descriptor, from: 0, path: path) { block, base in
            size = base + block.count
            Self.forEachEventEnd(in: block, base: base, pending: length) { end in
                index.add(start: length)
                lastStart = length
                length = end
                return true
            }
            return true
        }
    }

    /// What the last event says, where it is `complete`. Throws where the last event cannot be read.
    func outcome(path: String) throws(StorageError) -> BuildFailure?? {
        guard index.count > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: length - lastStart)
        let count = uninterrupted { pread(descriptor, &bytes, bytes.count, off_t(lastStart)) }
        let prefix = Array("data: ".utf8)
        guard count == bytes.count, bytes.starts(with: prefix),
            let json = try? JSONValue(parsing: Array(bytes.dropFirst(prefix.count).dropLast(2))),
            let event = BuildEvent(json: json)
        else { throw StorageError(.corrupt, "the last event of \(path) is not one: set the file aside") }
        guard case .complete(let failure) = event else { return nil }
        return .some(failure)
    }

    /// The offset of the event that comes `skip` events after the one at `offset`.
    static func offset(skipping skip: Int, from offset: Int, descriptor: Int32, path: String) throws(StorageError)
        -> Int
    {
        var left = skip
        var result = offset
        guard left > 0 else { return offset }
        try forEachBlock(of: descriptor, size: shortBlockSize, from: offset, path: path) { block, base in
            forEachEventEnd(in: block, base: base, pending: result) { end in
                result = end
                left -= 1
                return left > 0
            }
            return left > 0
        }
        return result
    }

    /// Calls `body` with the end of each event that ends in `block`, until it says `false`. Blocks overlap by one byte,
    /// so that a pair of line ends is never cut apart; `pending` is where the event under way begins.
    private static func forEachEventEnd(
        in block: UnsafeRawBufferPointer, base: Int, pending: Int, _ body: (Int) -> Bool
    ) {
        guard let start = block.baseAddress else { return }
        var position = max(0, pending - base)
        while position < block.count - 1, let found = memchr(start + position, 0x0A, block.count - 1 - position) {
            let place = found - UnsafeMutableRawPointer(mutating: start)
            guard block[place + 1] == 0x0A else {
                position = place + 1
                continue
            }
            guard body(base + place + 2) else { return }
            position = place + 2
        }
    }

    private static func forEachBlock(
        of descriptor: Int32, size: Int = blockSize, from start: Int, path: String,
        _ body: (UnsafeRawBufferPointer, Int) -> Bool
    ) throws(StorageError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var base = start
        while true {
            let count = uninterrupted { pread(descriptor, buffer.baseAddress, size, off_t(base)) }
            guard count >= 0 else { throw DurableFile.failure("read", path) }
            guard count > 0, body(UnsafeRawBufferPointer(rebasing: buffer[..<count]), base) else { return }
            guard count > 1 else { return }
            base += count - 1
        }
    }
}
