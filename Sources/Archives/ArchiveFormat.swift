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
        case [0x50, 0x4B, 0x03, 0x04]: self = .zip
        case _ where first.starts(with: [0x1F, 0x8B]): self = .tarGzip
        default:
            throw BuildFailure(.source, "the archive is neither a ZIP file nor a gzip-compressed tar file")
        }
    }

    private static func bytes(of file: OpenFile, from offset: Int64, count: Int) throws(BuildFailure) -> [UInt8] {
        try file.seek(to: offset)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        let filled = try file.read(into: buffer)
        return Array(buffer[..<filled])
    }
}
