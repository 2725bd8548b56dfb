// SPDX-License-Identifier: Apache-2.0
import CProcess
import Foundation

/// File systems that live in memory (tmpfs(5)) and are mounted by a build in namespaces of its own: files that have names
/// there are no process's memory, and no walk over the workspace finds them.
struct MemoryFileSystems {
    /// What a process sees: its mount namespace, from its root folder on.
    private struct View: Hashable {
        let namespace: ino_t
        let rootDevice: dev_t
        let root: ino_t
    }

    /// Bytes of the longest list of mounts that is read.
    private static let maximumList = 16 << 20

    /// Devices that were looked at, or are not the build's.
    private var seen: Set<dev_t>
    private var views: Set<View> = []
    /// Devices whose blocks are in ``bytes``.
    private(set) var counted: Set<dev_t> = []
    /// Bytes in use.
    private(set) var bytes: Int64 = 0
    /// Whether there is one whose bytes cannot be counted: the kernel counts only where there is a limit.
    private(set) var hasUncountable = false

    /// - Parameter others: devices that are not counted, those of ``machine()`` and the workspace's.
    init(but others: Set<dev_t>) { seen = others }

    /// The devices that this process sees, which builds may see parts of.
    static func machine() -> Set<dev_t> { Set((mounts(in: "/proc/self/mountinfo") ?? []).map(\.device)) }

    /// Adds what is mounted where a process is. Each namespace is read once.
    mutating func add(mountsOf process: pid_t) {
        let folder = "/proc/\(process)"
        var namespace = stat()
        var root = stat()
        guard stat("\(folder)/ns/mnt", &namespace) == 0, stat("\(folder)/root", &root) == 0 else { return }
        let view = View(namespace: namespace.st_ino, rootDevice: root.st_dev, root: root.st_ino)
        guard views.insert(view).inserted else { return }
        guard let mounts = Self.mounts(in: "\(folder)/mountinfo") else {
            hasUncountable = true
            return
        }
        for mount in mounts where !seen.contains(mount.device) {
            let path = "\(folder)/root\(mount.place)"
            var status = stat()
            // Another may be mounted over it.
            if stat(path, &status) == 0 {
                add(device: status.st_dev, at: path)
            } else if errno == EACCES {
                hasUncountable = true
            }
        }
    }

    /// Adds the file system on which `path` lies, unless it was looked at already.
    mutating func add(device: dev_t, at path: String) {
        guard seen.insert(device).inserted else { return }
        let size = cprocess_memory_in_use(path)
        if size >= 0 {
            counted.insert(device)
            bytes += Int64(size)
        } else if size == -2 {
            hasUncountable = true
        }
    }

    private struct Mount {
        let device: dev_t
        let place: String
    }

    /// Where such file systems are mounted, by a list of mounts (proc(5), mountinfo); `nil` where it is too long.
    private static func mounts(in list: String) -> [Mount]? {
        guard let bytes = contents(of: list) else { return nil }
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { $0.split(separator: UInt8(ascii: " ")) }
        return lines.compactMap { fields in
            guard fields.count > 6, let end = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
                end + 1 < fields.count,
                ["tmpfs", "ramfs"].contains(where: { fields[end + 1].elementsEqual($0.utf8) }),
                let device = device(fields[2])
            else { return nil }
            return Mount(device: device, place: unescaped(fields[4]))
        }
    }

    /// Of `major:minor`, as makedev(3) does.
    private static func device(_ field: ArraySlice<UInt8>) -> dev_t? {
        let numbers = field.split(separator: UInt8(ascii: ":")).compactMap {
            UInt64(String(decoding: $0, as: UTF8.self))
        }
        guard numbers.count == 2 else { return nil }
        let (major, minor) = (numbers[0], numbers[1])
        return dev_t((major & ~0xFFF) << 32 | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | minor & 0xFF)
    }

    /// Spaces, tabs, newlines and backslashes are written as a backslash and three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), let value = UInt8(digits, radix: 8) {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Empty where it cannot be read: the process may have ended. `nil` where it is too long.
    private static func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= maximumList {
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += block[..<count]
        }
        return nil
    }
}
