// SPDX-License-Identifier: Apache-2.0
import ByteCoding

/// An archive that the kernel unpacks as its first root (Linux, Documentation/driver-api/early-userspace/
/// buffer-format.rst: "newc").
///
/// The bytes depend on the entries alone: they are sorted by path, belong to root, and have one fixed time.
package struct CPIOArchive {
    package enum Content {
        case folder
        case file([UInt8], executable: Bool)
        case link(to: String)
    }

    private var entries: [String: Content] = [:]

    package init() {}

    /// Adds an entry, and the folders above it. `path` is relative.
    package mutating func add(_ path: String, _ content: Content) {
        let names = PathParts.names(path)
        for count in 1..<max(names.count, 1) where entries[names[..<count].joined(separator: "/")] == nil {
            entries[names[..<count].joined(separator: "/")] = .folder
        }
        entries[names.joined(separator: "/")] = content
    }

    package func has(_ path: String) -> Bool { entries[path] != nil }

    /// Sorted by their bytes, so that a folder stands before what is in it.
    package var paths: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    package func bytes(time: UInt32) -> [UInt8] {
        var out: [UInt8] = []
        for (index, path) in paths.enumerated() {
            guard let content = entries[path] else { continue }
            let body = content.body
            out += Self.header(
                inode: UInt32(index + 1), mode: content.mode, links: content.links, time: time,
                size: UInt32(body.count), nameSize: UInt32(path.utf8.count + 1))
            out += Array(path.utf8) + [0]
            Self.pad(&out)
            out += body
            Self.pad(&out)
        }
        let trailer = "TRAILER!!!"
        out += Self.header(inode: 0, mode: 0, links: 1, time: 0, size: 0, nameSize: UInt32(trailer.utf8.count + 1))
        out += Array(trailer.utf8) + [0]
        Self.pad(&out)
        return out
    }

    /// c_magic, then 13 fields of eight hexadecimal digits.
    private static func header(
        inode: UInt32, mode: UInt32, links: UInt32, time: UInt32, size: UInt32, nameSize: UInt32
    ) -> [UInt8] {
        let fields: [UInt32] = [inode, mode, 0, 0, links, time, size, 0, 0, 0, 0, nameSize, 0]
        return Array("070701".utf8)
            + fields.flatMap { field in
                let digits = String(field, radix: 16, uppercase: true)
                return Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
            }
    }

    private static func pad(_ bytes: inout [UInt8]) {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}

extension CPIOArchive.Content {
    fileprivate var mode: UInt32 {
        switch self {
        case .folder: 0o040755
        case .file(_, let executable): executable ? 0o100755 : 0o100644
        case .link: 0o120777
        }
    }

    fileprivate var links: UInt32 {
        if case .folder = self { 2 } else { 1 }
    }

    fileprivate var body: [UInt8] {
        switch self {
        case .folder: []
        case .file(let bytes, _): bytes
        case .link(let target): Array(target.utf8)
        }
    }
}
