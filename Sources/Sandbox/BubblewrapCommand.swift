// SPDX-License-Identifier: Apache-2.0
package import Builds
import Foundation

/// The command line that confines one command, as a value.
///
/// As root it is a chain of programs that each do one thing and become the next: `unshare` and `mount` bring toolchains
/// into the view of the build user, `prlimit` limits, `setpriv` becomes the build user, `bwrap` confines.
package struct BubblewrapCommand: Sendable {
    /// Numbers of descriptors in the new process.
    private enum Descriptor {
        static let seccompProgram = 3
        /// Where bubblewrap says which process is the namespace's first.
        static let information = 4
        /// From which bubblewrap reads before it begins.
        static let permission = 5
    }

    let command: Command
    let workspace: Workspace
    let toolMounts: [ReadOnlyMount]
    let limits: ResourceLimits
    /// `nil` where builds run under this user's id.
    let user: UInt32?
    /// A cgroup's folder to enter first.
    let controlGroup: String?

    package init(
        command: Command, workspace: Workspace, toolMounts: [ReadOnlyMount], limits: ResourceLimits, user: UInt32?,
        controlGroup: String?
    ) {
        self.command = command
        self.workspace = workspace
        self.toolMounts = toolMounts
        self.limits = limits
        self.user = user
        self.controlGroup = controlGroup
    }

    /// The first is the absolute path of a program.
    package var arguments: [String] {
        var chain: [String] = []
        if let controlGroup {
            chain += [Programs.shell, "-c", "echo $$ > \"$0\" && exec \"$@\"", controlGroup + "/cgroup.procs"]
        }
        if user != nil, !toolMounts.isEmpty { chain += bindTools }
        chain += [Programs.prlimit] + limits.options + ["--"]
        if let user {
            chain += [Programs.setpriv, "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", "--"]
        }
        return chain + bubblewrap
    }

    /// Toolchains often lie in a home that build users may not enter. Root binds them into the workspace, in a mount
    /// namespace that ends with the command.
    private var bindTools: [String] {
        let script =
            "while [ \"$1\" != -- ]; do \(Programs.mount) --bind \"$1\" \"$2\" || exit 1; shift 2; done; shift; exec \"$@\""
        let pairs = toolMounts.enumerated().flatMap { [$1.host, boundPath($0)] }
        return [Programs.unshare, "--mount", "--propagation", "private", "--", Programs.shell, "-c", script, "sh"]
            + pairs
            + ["--"]
    }

    private func boundPath(_ index: Int) -> String { "\(workspace.root)/tools/\(index)" }

    private var bubblewrap: [String] {
        var options = [Programs.bubblewrap] + namespaces
        options += ["--clearenv"]
        for (name, value) in command.environment.sorted(by: { $0.key < $1.key }) {
            options += ["--setenv", name, value]
        }
        options += system + etc + workspaceMounts
        for (index, mount) in toolMounts.enumerated() {
            options += ["--ro-bind", user == nil ? mount.host : boundPath(index), mount.inside]
        }
        options += [
            "--remount-ro", "/", "--chdir", command.workingDirectory, "--seccomp", "\(Descriptor.seccompProgram)",
            "--info-fd", "\(Descriptor.information)", "--block-fd", "\(Descriptor.permission)", "--",
        ]
        return options + [command.executable] + command.arguments
    }

    private var namespaces: [String] {
        [
            "--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--hostname", "build", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        ] + (command.nestsNamespaces ? [] : ["--disable-userns"]) + (command.network ? [] : ["--unshare-net"])
    }

    /// The system's programs and libraries, read-only; nothing of /home, /root, /var, /run, /sys or /boot.
    private var system: [String] {
        var options = ["--ro-bind", "/usr", "/usr"]
        for folder in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder) {
                options += ["--symlink", target, folder]
            } else {
                options += ["--ro-bind-try", folder, folder]
            }
        }
        options += [
            "--proc", "/proc", "--dev", "/dev", "--bind", "\(workspace.root)/shm", "/dev/shm", "--remount-ro", "/dev",
        ]
        return options + [
            "--bind", workspace.path(.temporary), "/tmp", "--dir", "/var", "--symlink", "/tmp", "/var/tmp",
        ]
    }

    private var etc: [String] {
        var options: [String] = []
        for name in ["passwd", "group"] { options += ["--ro-bind", "\(workspace.root)/etc/\(name)", "/etc/\(name)"] }
        // Certificates, but not the private keys beside them.
        var names = [
            "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl/certs", "ssl/openssl.cnf",
            "pki/tls/certs", "pki/ca-trust/extracted", "ca-certificates",
        ]
        if command.network { names += ["resolv.conf", "hosts", "nsswitch.conf", "gai.conf", "services", "protocols"] }
        for name in names { options += ["--ro-bind-try", "/etc/\(name)", "/etc/\(name)"] }
        return options
    }

    private var workspaceMounts: [String] {
        Workspace.Part.allCases.flatMap { part in
            [bind(part), workspace.path(part), workspace.inside(part)]
        }
            + command.mounts.flatMap { mount in
                [bind(mount.part), "\(workspace.path(mount.part))/\(mount.folder)", mount.inside]
            }
    }

    private func bind(_ part: Workspace.Part) -> String {
        command.writable.contains(part) ? "--bind" : "--ro-bind"
    }
}

/// Limits of each process, for prlimit(1).
package struct ResourceLimits: Hashable, Sendable {
    let openFiles: Int
    /// Processes and threads of the user.
    let processes: Int
    /// Bytes of one file.
    let fileSize: Int64
    /// Bytes of one process's own memory.
    let memory: Int64

    package init(openFiles: Int, processes: Int, fileSize: Int64, memory: Int64) {
        self.openFiles = openFiles
        self.processes = processes
        self.fileSize = fileSize
        self.memory = memory
    }

    var options: [String] {
        [
            "--nofile=\(openFiles):\(openFiles)", "--nproc=\(processes):\(processes)",
            "--fsize=\(fileSize):\(fileSize)", "--data=\(memory):\(memory)", "--core=0:0",
        ]
    }
}
