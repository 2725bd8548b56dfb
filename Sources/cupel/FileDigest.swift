// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding

enum FileDigest {
    /// The digest and size of a regular file, read piece by piece; no link is followed.
    static func read(_ path: String) throws -> (sha256: Digest256, size: Int64) {
        let file = try OpenFile(reading: path, otherwise: .source)
        let buffer = FileBuffer()
        var stream = Digest256.Stream()
        var size: Int64 = 0
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            stream.update(buffer.prefix(count))
            size += Int64(count)
        }
        return (stream.digest, size)
    }

    static func sha256(of path: String) throws -> Digest256 { try read(path).sha256 }
}
