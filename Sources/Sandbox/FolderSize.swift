// SPDX-License-Identifier: Apache-2.0
import CProcess
import Foundation

/// What a folder holds on disk, while a build may change it; files with several names count once for each.
///
/// Names are bytes, no link is followed, and no path is too long: what cannot be named here would not be counted.
package struct FolderSize {
    /// A folder that is open, below which paths are short.
    private final class Anchor {
        let descriptor: Int32
        let depth: Int

        init(descriptor: Int32, depth: Int) {
            self.descriptor = descriptor
            self.depth = depth
        }

        deinit { close(descriptor) }
    }

    private struct Place {
        let anchor: Anchor
        /// Ends with a zero.
        let path: [CChar]
    }

    private static let longestPath = 2048
    private static let mostAnchors = 64

    package private(set) var bytes: Int64 = 0
    package private(set) var files = 0
    /// Folders are nested deeper than anybody needs: not all was counted.
    package private(set) var isTooDeep = false

    private var pending: [Place] = []

    package init(of path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        pending = [Place(anchor: Anchor(descriptor: descriptor, depth: 0), path: [CChar(bitPattern: 46), 0])]
        while !isTooDeep, let place = pending.popLast() { walk(place) }
        pending = []
    }

    private mutating func walk(_ place: Place) {
        let descriptor = Self.openFolder(place)
        guard descriptor >= 0 else { return }
        guard place.path.count > Self.longestPath else {
            return list(descriptor) { Place(anchor: place.anchor, path: place.path.dropLast() + [47] + $0) }
        }
        let depth = place.anchor.depth + 1
        guard depth < Self.mostAnchors else {
            isTooDeep = true
            close(descriptor)
            return
        }
        let anchor = Anchor(descriptor: fcntl(descriptor, F_DUPFD_CLOEXEC, 0), depth: depth)
        list(descriptor) { Place(anchor: anchor, path: $0) }
    }

    /// The build may have closed its folders to a user without special rights: it is the same user.
    private static func openFolder(_ place: Place) -> Int32 {
        let descriptor = cprocess_open_folder(place.anchor.descriptor, place.path)
        guard descriptor < 0, errno == EACCES else { return descriptor }
        guard cprocess_unlock_folder(place.anchor.descriptor, place.path) == 0 else { return -1 }
        return cprocess_open_folder(place.anchor.descriptor, place.path)
    }

    /// Counts what a folder holds, and closes it.
    private mutating func list(_ descriptor: Int32, _ place: ([CChar]) -> Place) {
        guard let directory = fdopendir(descriptor) else {
            close(descriptor)
            return
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = EntryName(entry)
            guard !name.isDots else { continue }
            var status = stat()
            guard fstatat(descriptor, name.bytes, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            files += 1
            bytes += Int64(status.st_blocks) * 512
            if status.st_mode & S_IFMT == S_IFDIR { pending.append(place(name.bytes)) }
        }
    }
}

/// The name of a folder's entry, as its bytes: it need not be UTF-8.
struct EntryName {
    /// Ends with a zero.
    let bytes: [CChar]

    init(_ entry: UnsafeMutablePointer<dirent>) {
        bytes = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
            buffer.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
        }
    }

    /// The folder itself, or its parent.
    var isDots: Bool { bytes == [46, 0] || bytes == [46, 46, 0] }
}
