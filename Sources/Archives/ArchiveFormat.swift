// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// The two formats of an upload, told apart by their first bytes, never by a name.
enum ArchiveFormat: Hashable {
    case zip
    case tarGzip

    init(of file: OpenFile) throws(BuildFailure) {
        let first = try Self.bytes(of: file, from: 0, count: 4)
        try file.seek(to: 0)
        switch first {
        case [0x50, 0x4B, 0x05, 0x06]: throw BuildFailure(.source, "the archive holds no file")
        case [0x50, 0x4B, 0x03, 0x04]:
            try Self.checkEnd(ofZip: file)
            self = .zip
        case _ where first.starts(with: [0x1F, 0x8B]): self = .tarGzip
        default:
            throw BuildFailure(.source, "the archive is neither a ZIP file nor a gzip-compressed tar file")
        }
    }

    /// The end-of-central-directory record (PKWARE APPNOTE, section 4.3.16) with its comment must be the last thing
    /// in the file: what follows it, or a missing one, means a cut or a joined file.
    private static func checkEnd(ofZip file: OpenFile) throws(BuildFailure) {
        let recordSize = 22
        let size = try file.size()
        let count = Int(min(size, Int64(recordSize + 0xFFFF)))
        let tail = try bytes(of: file, from: size - Int64(count), count: count)
        try file.seek(to: 0)
        var start = tail.count - recordSize
        while start >= 0 {
            if tail[start] == 0x50, tail[start...].starts(with: [0x50, 0x4B, 0x05, 0x06]) {
                let comment = Int(tail[start + 20]) | Int(tail[start + 21]) << 8
                if start + recordSize + comment == tail.count { return }
            }
            start -= 1
        }
        throw BuildFailure(.source, "the ZIP file has no end, or something stands after it; it was cut short or joined")
    }

    private static func bytes(of file: OpenFile, from offset: Int64, count: Int) throws(BuildFailure) -> [UInt8] {
        try file.seek(to: offset)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        let filled = try file.read(into: buffer)
        return Array(buffer[..<filled])
    }
}
