// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Measurements

/// Reads regular files of images. Errors name the file.
enum ImageFile {
    private static let piece = 1 << 20

    /// Size and digest, read piece by piece.
    static func read(_ path: String) throws(ImageError) -> ImageDescription.File {
        var stream = Digest256.Stream()
        var size = 0
        try each(path) { bytes in
            stream.update(bytes)
            size += bytes.count
            return true
        }
        return ImageDescription.File(size: size, sha256: stream.digest)
    }

    /// All bytes. Throws where there are more than `limit`.
    static func bytes(_ path: String, atMost limit: Int = .max) throws(ImageError) -> [UInt8] {
        var all: [UInt8] = []
        try each(path) { bytes in
            all.append(contentsOf: bytes)
            return all.count <= limit
        }
        guard all.count <= limit else { throw ImageError(.file, "\(path) has more than \(limit) bytes") }
        return all
    }

    /// Bytes of a file.
    static func size(_ path: String) throws(ImageError) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("could not read \(path)", errno) }
        return Int(status.st_size)
    }

    /// Writes a new file, or over one that is there.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(ImageError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("could not write \(path)", errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw failure("could not write \(path)", errno) }
            rest = rest.dropFirst(written)
        }
        // The mode of a new file is cut by the umask, and that of an old one stays.
        guard fchmod(descriptor, mode) == 0 else { throw failure("could not write \(path)", errno) }
    }

    static func failure(_ what: String, _ code: Int32) -> ImageError {
        ImageError(.file, "\(what): \(String(cString: strerror(code)))")
    }

    /// Gives the file to `take` in pieces, until that returns `false`.
    private static func each(_ path: String, _ take: (UnsafeRawBufferPointer) -> Bool) throws(ImageError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("could not read \(path)", errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(.file, "\(path) is no regular file")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("could not read \(path)", errno) }
            if count == 0 || !take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { return }
        }
    }
}
