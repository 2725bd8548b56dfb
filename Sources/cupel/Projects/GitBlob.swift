// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Crypto

/// The ids that git gives to contents (gitformat-pack(5)): the digest of `blob`, the size and the bytes, by SHA-1 (40
/// digits) or SHA-256 (64), whichever the repository uses.
enum GitBlob {
    static func id(of bytes: [UInt8], digits: Int) -> String {
        digits == 64 ? id(of: bytes, SHA256()) : id(of: bytes, Insecure.SHA1())
    }

    static func id(ofFile path: String, digits: Int) throws -> String {
        digits == 64 ? try id(ofFile: path, SHA256()) : try id(ofFile: path, Insecure.SHA1())
    }

    private static func id(of bytes: [UInt8], _ function: some HashFunction) -> String {
        var hash = function
        hash.update(data: header(Int64(bytes.count)))
        hash.update(data: bytes)
        return Hex.encode(Array(hash.finalize()))
    }

    private static func id(ofFile path: String, _ function: some HashFunction) throws -> String {
        let file = try OpenFile(reading: path, otherwise: .source)
        let buffer = FileBuffer()
        var hash = function
        hash.update(data: header(try file.size()))
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            hash.update(bufferPointer: buffer.prefix(count))
        }
        return Hex.encode(Array(hash.finalize()))
    }

    private static func header(_ size: Int64) -> [UInt8] { Array("blob \(size)\0".utf8) }
}
