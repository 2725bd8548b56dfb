// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import Foundation

/// Where `root` holds nothing but one folder, moves what is in it up and returns its name.
func removeTopFolder(in root: String) throws(BuildFailure) -> String? {
    let children = try FolderListing(root, shownAs: "").children
    guard children.count == 1, let top = children.first, top.kind == .folder, top.name != ".git" else { return nil }
    // Out of the way first: the folder may hold one of its own name.
    let aside = root + "/.top-folder-" + UUID().uuidString
    guard rename(root + "/" + top.name, aside) == 0 else { throw writingFailed(top.name) }
    for child in try FolderListing(aside, shownAs: top.name).children {
        guard rename(aside + "/" + child.name, root + "/" + child.name) == 0 else { throw writingFailed(child.name) }
    }
    guard rmdir(aside) == 0 else { throw writingFailed(top.name) }
    return top.name
}

/// Gives every file and folder below `root` the same mode (755 or 644) and time, wherever it came from, so that a
/// build cannot depend on them. The time is 1980-01-01T00:00:00Z, the earliest that a ZIP file can hold.
func settleTree(_ root: String) throws(BuildFailure) {
    for child in try FolderListing(root, shownAs: "").children {
        let path = root + "/" + child.name
        switch child.kind {
        case .link: break
        case .file(let executable): try setMode(path, executable ? 0o755 : 0o644)
        case .folder:
            try setMode(path, 0o755)
            guard path.utf8.count < Int(PATH_MAX) else {
                throw BuildFailure(.resourceLimit, "the source nests too many folders")
            }
            try settleTree(path)
        }
        let time = timespec(tv_sec: 315_532_800, tv_nsec: 0)
        guard utimensat(AT_FDCWD, path, [time, time], AT_SYMLINK_NOFOLLOW) == 0 else {
            throw writingFailed(child.name)
        }
    }
}

private func setMode(_ path: String, _ mode: mode_t) throws(BuildFailure) {
    guard chmod(path, mode) == 0 else { throw writingFailed(path) }
}
