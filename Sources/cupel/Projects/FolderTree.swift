// SPDX-License-Identifier: Apache-2.0

/// A project that is not under git: everything but a top-level `.git` and `target`.
enum FolderTree {
    private static let leftOut: Set<String> = [".git", "target"]

    static func entries(of root: String, excluding excluded: String?) throws -> [ProjectFiles.Entry] {
        var entries: [ProjectFiles.Entry] = []
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try FolderNames.list("\(root)/\(folder)") {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                if leftOut.contains(path) || path == excluded { continue }
                if let entry = try ProjectFiles.Entry(path, in: root) {
                    entries.append(entry)
                } else {
                    folders.append(path)
                }
            }
        }
        return entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
}
