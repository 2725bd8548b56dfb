// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Removes trees that nobody changes any more, whatever they are like: of any depth, with names of any bytes, and with
/// folders that forbid it.
///
/// A folder that is not empty is emptied into the top one, so that no path and no number of open folders ever grows.
enum TreeRemoval {
    static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR { removeContents(of: path) }
        _ = Foundation.remove(path)
    }

    private static func removeContents(of path: String) {
        _ = chmod(path, 0o700)
        let top = uninterrupted { open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard top >= 0 else { return }
        defer { close(top) }
        var moved: UInt64 = 0
        // Each pass makes the tree smaller, or is the last.
        while clear(top, into: top, &moved) {}
    }

    /// Removes what a folder holds; moves what is not empty to `top`. Returns whether anything was removed or moved.
    private static func clear(_ folder: Int32, into top: Int32, _ moved: inout UInt64) -> Bool {
        var isSmaller = false
        for name in names(in: folder) {
            if unlinkat(folder, name, 0) == 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0 {
                isSmaller = true
                continue
            }
            _ = fchmodat(folder, name, 0o700, 0)
            isSmaller = (folder == top ? empty(name, top, &moved) : move(name, folder, top, &moved)) || isSmaller
        }
        return isSmaller
    }

    private static func empty(_ name: [CChar], _ top: Int32, _ moved: inout UInt64) -> Bool {
        let folder = uninterrupted { openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard folder >= 0 else { return false }
        defer { close(folder) }
        let isSmaller = clear(folder, into: top, &moved)
        return unlinkat(top, name, AT_REMOVEDIR) == 0 || isSmaller
    }

    private static func move(_ name: [CChar], _ folder: Int32, _ top: Int32, _ moved: inout UInt64) -> Bool {
        moved += 1
        return renameat(folder, name, top, ".removed-\(moved)-\(UInt64.random(in: 0 ... .max))") == 0
    }

    /// All names first: what is removed or moved meanwhile must not confuse the reader.
    private static func names(in folder: Int32) -> [[CChar]] {
        let copy = uninterrupted { openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard copy >= 0, let directory = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return []
        }
        defer { closedir(directory) }
        var names: [[CChar]] = []
        while let entry = readdir(directory) {
            let name = EntryName(entry)
            if !name.isDots { names.append(name.bytes) }
        }
        return names
    }
}
