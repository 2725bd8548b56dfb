// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation

extension Sandbox {
    /// Where commands see their workspace; the same everywhere, so that results do not depend on the machine.
    public static let mountPoint = "/build"

    /// Makes an empty workspace. Only its build user may enter it.
    public func makeWorkspace(named name: String, slot: Int) throws(BuildFailure) -> Workspace {
        let root = "\(folder)/\(name)"
        WorkspaceFolder.remove(root)
        let user = host.user(slot: slot)
        try WorkspaceFolder.make(root, mode: 0o700, owner: user)
        for part in Workspace.Part.allCases {
            try WorkspaceFolder.make("\(root)/\(part.rawValue)", mode: 0o755, owner: user)
        }
        for name in WorkspaceFolder.internalFolders {
            try WorkspaceFolder.make("\(root)/\(name)", mode: 0o755, owner: user)
        }
        try WorkspaceFolder.writeAccounts(in: root + "/etc")
        return Workspace(root: root, mountPoint: confinement == .bubblewrap ? Self.mountPoint : root)
    }

    /// Removes a workspace, whatever the build has made of it.
    public func removeWorkspace(_ workspace: Workspace) { WorkspaceFolder.remove(workspace.root) }
}

/// Folders of workspaces on this machine.
enum WorkspaceFolder {
    /// Beside the parts: /dev/shm, files for /etc, and places for toolchains.
    static let internalFolders = ["shm", "etc", "tools"]

    static func make(_ path: String, mode: mode_t, owner: UInt32) throws(BuildFailure) {
        guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else {
            throw BuildFailure(.sandbox, "could not make the folder \(path): \(String(cString: strerror(errno)))")
        }
        guard geteuid() != 0 || chown(path, owner, owner) == 0 else {
            throw BuildFailure(
                .sandbox, "could not give \(path) to the build user: \(String(cString: strerror(errno)))")
        }
    }

    /// The accounts that commands see: themselves, root and nobody.
    static func writeAccounts(in folder: String) throws(BuildFailure) {
        let files = [
            "passwd": """
            root:x:0:0:root:/nonexistent:/usr/sbin/nologin
            build:x:1000:1000:build:\(Sandbox.mountPoint)/home:/bin/sh
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin

            """,
            "group": "root:x:0:\nbuild:x:1000:\nnogroup:x:65534:\n",
        ]
        for (name, text) in files {
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            } catch {
                throw BuildFailure(.sandbox, "could not write \(folder)/\(name): \(error.localizedDescription)")
            }
        }
    }

    /// Removes a tree of any depth, also where its folders forbid it.
    static func remove(_ path: String) {
        for _ in 0..<3 {
            var status = stat()
            guard lstat(path, &status) == 0 else { return }
            if status.st_mode & S_IFMT == S_IFDIR { removeContents(of: path) }
            _ = Foundation.remove(path)
        }
    }

    /// Walks with descriptors of parents, so that no path is too long and no link is followed; one folder at a time,
    /// so that no depth exhausts the stack.
    private static func removeContents(of path: String) {
        var paths = [path]
        while let current = paths.last {
            let folders = clear(current)
            if folders.isEmpty {
                paths.removeLast()
                if current != path { _ = rmdir(current) }
                continue
            }
            // A folder whose path has become too long is moved up first.
            for folder in folders {
                let child = "\(current)/\(folder)"
                guard child.utf8.count > 3000 else {
                    paths.append(child)
                    continue
                }
                let moved = "\(path)/.long-\(UInt64.random(in: 0 ... .max))"
                guard rename(child, moved) == 0 else { return }
                paths.append(moved)
            }
        }
    }

    /// Removes all but folders from a folder; returns the names of those.
    private static func clear(_ path: String) -> [String] {
        _ = chmod(path, 0o700)
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var folders: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            // The name's own bytes: it need not be UTF-8.
            let isFolder = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { bytes in
                    unlinkat(dirfd(directory), bytes, 0) != 0
                        && (unlinkat(dirfd(directory), bytes, AT_REMOVEDIR) != 0)
                }
            }
            if isFolder { folders.append(name) }
        }
        return folders
    }
}
