// SPDX-License-Identifier: Apache-2.0
import Builds
import Sandbox
import Testing

@Suite("The command line that confines")
struct BubblewrapCommandTests {
    private let workspace = Workspace(root: "/data/workspaces/1", mountPoint: "/build")

    private func arguments(
        user: UInt32? = nil, network: Bool = false, writable: Set<Workspace.Part> = [.output],
        mounts: [ReadOnlyMount] = [], group: String? = nil
    ) -> [String] {
        BubblewrapCommand(
            command: Command(
                "/usr/bin/cargo", ["build", "--", "--bind", "/", "/"], environment: ["B": "2 3", "A": "--"],
                workingDirectory: "/build/source", network: network, writable: writable, timeLimit: 1),
            workspace: workspace, toolMounts: mounts,
            limits: ResourceLimits(openFiles: 10, processes: 20, fileSize: 30, memory: 40), user: user,
            controlGroup: group
        ).arguments
    }

    private func text(_ arguments: [String]) -> String { arguments.joined(separator: " ") }

    @Test("an ordinary user's chain is prlimit, then bwrap")
    func ordinaryUser() {
        #expect(
            text(arguments()).hasPrefix(
                "/usr/bin/prlimit --nofile=10:10 --nproc=20:20 --fsize=30:30 --data=40:40 --core=0:0 -- /usr/bin/bwrap "
            ))
    }

    @Test("root's chain becomes the build user before bwrap")
    func root() {
        #expect(
            text(arguments(user: 77)).contains(
                "-- /usr/bin/setpriv --reuid 77 --regid 77 --clear-groups -- /usr/bin/bwrap "))
    }

    @Test("the cgroup is entered before anything else")
    func group() {
        let arguments = arguments(user: 77, group: "/sys/fs/cgroup/x")
        #expect(Array(arguments.prefix(2)) == ["/bin/sh", "-c"])
        #expect(arguments[3] == "/sys/fs/cgroup/x/cgroup.procs")
        #expect(arguments[4] == "/usr/bin/prlimit")
    }

    @Test("the command stands last, after --, word by word")
    func command() {
        #expect(arguments().suffix(7) == ["--", "/usr/bin/cargo", "build", "--", "--bind", "/", "/"])
    }

    @Test("the environment is cleared, then set in the order of names")
    func environment() {
        #expect(text(arguments()).contains(" --clearenv --setenv A -- --setenv B 2 3 "))
    }

    @Test(
        "every namespace is new, nothing is kept",
        arguments: [
            "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
            "--die-with-parent", "--new-session", "--cap-drop ALL", "--remount-ro /", "--remount-ro /dev",
        ])
    func isolation(option: String) {
        #expect(text(arguments()).contains(" \(option) "))
    }

    @Test("the network is shared in a phase that has it, with the files that names are resolved by")
    func network() {
        let with = text(arguments(network: true))
        #expect(!with.contains("--unshare-net") && with.contains("/etc/resolv.conf"))
        #expect(!text(arguments()).contains("/etc/resolv.conf"))
    }

    @Test("only the parts that the command may write are writable", arguments: Workspace.Part.allCases)
    func parts(part: Workspace.Part) {
        let place = "\(workspace.path(part)) /build/\(part.rawValue)"
        #expect(text(arguments(writable: [part])).contains(" --bind \(place)"))
        #expect(text(arguments(writable: [])).contains(" --ro-bind \(place)"))
    }

    @Test("private keys beside the certificates are not shown")
    func keys() {
        let words = arguments()
        #expect(!words.contains("/etc/ssl") && !words.contains("/etc/pki") && words.contains("/etc/ssl/certs"))
    }

    @Test("a toolchain is bound read-only; root binds it into the workspace first")
    func tools() {
        let mounts = [ReadOnlyMount(host: "/root/rust", inside: "/toolchain/rust")]
        #expect(text(arguments(mounts: mounts)).contains(" --ro-bind /root/rust /toolchain/rust "))
        let root = text(arguments(user: 77, mounts: mounts))
        #expect(root.hasPrefix("/usr/bin/unshare --mount --propagation private -- /bin/sh -c "))
        #expect(root.contains(" sh /root/rust /data/workspaces/1/tools/0 -- /usr/bin/prlimit "))
        #expect(root.contains(" --ro-bind /data/workspaces/1/tools/0 /toolchain/rust "))
    }
}
