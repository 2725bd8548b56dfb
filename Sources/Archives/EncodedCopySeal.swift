// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// What ends the file of an encoded copy: the SHA-256 of all before it, so that damage is found before it is served.
///
/// It is a skippable frame of zstd (RFC 8878, section 3.1.2), which `zstd -d` passes over: the magic number
/// `0x184D2A5C` and the length 32, both little-endian, and the digest. It is never sent.
struct EncodedCopySeal {
    static let size = 40
    private static let start: [UInt8] = [0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0]

    private var stream = Digest256.Stream()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { stream.update(bytes) }

    var bytes: [UInt8] { Self.start + stream.digest.bytes }
}

/// The size of the encoded copy at `path` without its seal; `nil` where it is not there, not whole, or damaged. Reads
/// all of the file.
package func sizeOfWholeEncodedCopy(_ path: String) -> Int64? {
    guard let file = try? OpenFile(reading: path, otherwise: .internal), let whole = try? file.size() else {
        return nil
    }
    let size = whole - Int64(EncodedCopySeal.size)
    guard size > 0, let seal = try? seal(of: file, size) else { return nil }
    var found = [UInt8](repeating: 0, count: EncodedCopySeal.size)
    let count = try? found.withUnsafeMutableBytes { buffer in try file.read(into: buffer) }
    return count == found.count && found == seal ? size : nil
}

private func seal(of file: OpenFile, _ size: Int64) throws(BuildFailure) -> [UInt8] {
    var seal = EncodedCopySeal()
    let buffer = FileBuffer()
    var rest = size
    while rest > 0 {
        let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(min(rest, Int64(buffer.bytes.count)))])
        let count = try file.read(into: wanted)
        guard count > 0 else { break }
        seal.update(buffer.prefix(count))
        rest -= Int64(count)
    }
    return seal.bytes
}
