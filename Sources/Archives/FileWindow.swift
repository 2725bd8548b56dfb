// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// Reads pieces of a file, in any order, through a window that is kept: most are near the one before.
final class FileWindow {
    let size: Int64
    private let file: OpenFile
    private var start: Int64 = 0
    private var window: [UInt8] = []

    private static let length = 256 << 10

    init(_ file: OpenFile) throws(BuildFailure) {
        self.file = file
        size = try file.size()
    }

    /// Throws `SourceError` where the file does not hold all of them.
    func bytes(at offset: Int64, count: Int) throws(BuildFailure) -> [UInt8] {
        guard offset >= 0, offset <= size, Int64(count) <= size - offset else {
            throw BuildFailure(.source, "the archive is cut short, or damaged: it leads beyond its end")
        }
        if offset < start || offset + Int64(count) > start + Int64(window.count) {
            try fill(from: offset, count: max(count, Int(min(Int64(Self.length), size - offset))))
        }
        let first = Int(offset - start)
        return Array(window[first..<first + count])
    }

    private func fill(from offset: Int64, count: Int) throws(BuildFailure) {
        try file.seek(to: offset)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        guard try file.read(into: buffer) == count else {
            throw BuildFailure(.source, "the archive changed while it was read")
        }
        (start, window) = (offset, Array(buffer))
    }
}
