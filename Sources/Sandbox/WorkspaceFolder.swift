// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation

extension Sandbox {
    /// Where commands see their workspace; the same everywhere, so that results do not depend on the machine.
    public static let mountPoint = "/build"

    /// Makes an empty workspace. Only its build user may enter it.
    public func makeWorkspace(named name: String, slot: Int) throws(BuildFailure) -> Workspace {
        let root = "\(folder)/\(name)"
        TreeRemoval.remove(root)
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
    public func removeWorkspace(_ workspace: Workspace) { TreeRemoval.remove(workspace.root) }
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
            try write(Array(text.utf8), to: "\(folder)/\(name)")
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(BuildFailure) {
        let descriptor = uninterrupted { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
        defer { if descriptor >= 0 { close(descriptor) } }
        var rest = bytes[...]
        while descriptor >= 0, !rest.isEmpty {
            let count = uninterrupted {
                rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        // Whatever this process's umask is: the build user reads them.
        guard rest.isEmpty, fchmod(descriptor, 0o644) == 0 else {
            throw BuildFailure(.sandbox, "could not write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
