// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// A file that the kernel makes up as it is read. Its size is unknown, and each read gives as many whole records as fit:
/// less than was asked for does not mean that the end is reached, as Foundation takes it.
package enum KernelFile {
    /// All of it; `nil` where it is not there, or this user may not read it. Throws where it ends in an error, or has more
    /// than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(AttesterError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 15)
        while true {
            let count = Foundation.read(file, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw AttesterError(.failed, "\(path) could not be read: \(String(cString: strerror(errno)))")
            }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw AttesterError(.invalid, "\(path) has more than \(limit) bytes")
            }
        }
    }
}
