// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// Where the kernel hands out reports: `/sys/kernel/config/tsm/report`, or what plays its part in a test.
///
/// A kernel fills a folder that is made there with files, and takes them away with the folder. `make` and `remove` do
/// both; each returns an error number, or 0.
package struct TSMFolder: Sendable {
    package let path: String
    let make: @Sendable (_ entry: String) -> Int32
    let remove: @Sendable (_ entry: String) -> Int32

    package init(
        path: String, make: @escaping @Sendable (String) -> Int32, remove: @escaping @Sendable (String) -> Int32
    ) {
        self.path = path
        self.make = make
        self.remove = remove
    }

    /// The kernel's.
    package static let configFS = TSMFolder(
        path: "/sys/kernel/config/tsm/report",
        make: { mkdir($0, 0o700) == 0 ? 0 : errno },
        remove: { rmdir($0) == 0 ? 0 : errno })

    package var isThere: Bool { access(path, F_OK) == 0 }
}

/// A request for a report: a folder of our own, whose files are the request's fields (Linux,
/// Documentation/ABI/testing/configfs-tsm-report).
struct TSMEntry {
    private let path: String
    private let folder: TSMFolder

    /// More is refused, in bytes: the kernel's own limits are 32 KiB and, in newer ones, 16 MiB for other platforms.
    private static let maximumSize = 1 << 20

    /// Throws `absent` where the kernel has nobody to ask, and `denied` where this user may not.
    init(in folder: TSMFolder) throws(AttesterError) {
        self.folder = folder
        path = "\(folder.path)/cupel-\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        let error = folder.make(path)
        switch error {
        case 0: return
        case ENOENT, ENXIO, ENODEV, ENOTDIR:
            throw AttesterError(.absent, "no hardware hands out reports at \(folder.path)")
        case EACCES, EPERM, EROFS:
            throw AttesterError(.denied, "this user may not ask for reports at \(folder.path): run as root")
        default: throw Self.failed("make \(path)", error)
        }
    }

    func remove() { _ = folder.remove(path) }

    /// Whether the request has this field; some have it on one platform only.
    func has(_ field: String) -> Bool { access("\(path)/\(field)", F_OK) == 0 }

    func read(_ field: String) throws(AttesterError) -> [UInt8] {
        let file = open("\(path)/\(field)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.failed("open \(field) of a report", errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 15)
        while true {
            let count = Foundation.read(file, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failed("read \(field) of a report", errno) }
            bytes += chunk[..<count]
            guard bytes.count <= Self.maximumSize else {
                throw AttesterError(.invalid, "\(field) of a report has more than \(Self.maximumSize) bytes")
            }
        }
    }

    func text(_ field: String) throws(AttesterError) -> String {
        String(decoding: try read(field), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func number(_ field: String) throws(AttesterError) -> UInt64 {
        let text = try text(field)
        guard let number = UInt64(text) else {
            throw AttesterError(.invalid, "\(field) of a report is '\(text)', expected a number")
        }
        return number
    }

    /// In one write: the kernel takes each as a whole.
    func write(_ bytes: [UInt8], to field: String) throws(AttesterError) {
        let file = open("\(path)/\(field)", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.failed("open \(field) of a report", errno) }
        let count = Foundation.write(file, bytes, bytes.count)
        let error = errno
        // Some fields are taken when they are closed.
        let closed = close(file)
        guard count == bytes.count else { throw Self.failed("write \(field) of a report", count < 0 ? error : EIO) }
        guard closed == 0 else { throw Self.failed("write \(field) of a report", errno) }
    }

    private static func failed(_ what: String, _ error: Int32) -> AttesterError {
        AttesterError(.failed, "could not \(what): \(String(cString: strerror(error)))")
    }
}
