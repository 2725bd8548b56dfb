// SPDX-License-Identifier: Apache-2.0

/// What a program that plays a machine's hardware may use and reach, as the start of its command line: programs that
/// each do one thing and become the next.
package struct HostConfinement: Hashable, Sendable {
    /// As whom it runs, and as a member of which groups beside its own. `nil` where it runs as whoever runs this.
    package struct Account: Hashable, Sendable {
        package let user: UInt32
        package let groups: [UInt32]

        package init(user: UInt32, groups: [UInt32] = []) {
            self.user = user
            self.groups = groups
        }
    }

    package let account: Account?
    /// A cgroup's folder to enter first.
    package let controlGroup: String?
    /// Bytes of the largest file that it may write.
    package let fileSize: Int64
    /// Bytes of its whole address space; no limit where there is a cgroup, which counts better.
    package let addressSpace: Int64?
    /// Processes and threads of its user; no limit where others have that user, too.
    package let threads: Int?

    package init(account: Account?, controlGroup: String?, fileSize: Int64, addressSpace: Int64?, threads: Int?) {
        self.account = account
        self.controlGroup = controlGroup
        self.fileSize = fileSize
        self.addressSpace = addressSpace
        self.threads = threads
    }

    /// The command line that begins with a program, confined.
    package func arguments(_ program: [String]) -> [String] {
        var chain: [String] = []
        if let controlGroup {
            chain += ["/bin/sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", controlGroup + "/cgroup.procs"]
        }
        chain += ["/usr/bin/prlimit", "--core=0:0", "--fsize=\(fileSize):\(fileSize)"]
        if let addressSpace { chain.append("--as=\(addressSpace):\(addressSpace)") }
        if let threads { chain.append("--nproc=\(threads):\(threads)") }
        return chain + ["--", "/usr/bin/setpriv"] + privileges + ["--"] + program
    }

    /// It dies with the thread that started it, and whatever it executes gets it no more than it has (setpriv(1)).
    private var privileges: [String] {
        var options = ["--pdeathsig=KILL", "--no-new-privs"]
        guard let account else { return options }
        options += ["--reuid=\(account.user)", "--regid=\(account.user)", "--inh-caps=-all", "--bounding-set=-all"]
        let groups = account.groups.map(String.init).joined(separator: ",")
        return options + (account.groups.isEmpty ? ["--clear-groups"] : ["--groups=\(groups)"])
    }
}
