// SPDX-License-Identifier: Apache-2.0
import Machines
import Testing

@Suite("What confines a machine's programs on its host") struct HostConfinementTests {
    @Test("as root: a user and groups of its own, no capabilities, limits, a cgroup")
    func root() {
        let confinement = HostConfinement(
            account: .init(user: 1_910_000_007, groups: [104, 105]), controlGroup: "/sys/fs/cgroup/cupel/machine-1",
            fileSize: 20, addressSpace: nil, threads: 1024)
        #expect(
            confinement.arguments(["/q", "-x"]) == [
                "/bin/sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", "/sys/fs/cgroup/cupel/machine-1/cgroup.procs",
                "/usr/bin/prlimit", "--core=0:0", "--fsize=20:20", "--nproc=1024:1024", "--", "/usr/bin/setpriv",
                "--pdeathsig=KILL", "--no-new-privs", "--reuid=1910000007", "--regid=1910000007", "--inh-caps=-all",
                "--bounding-set=-all", "--groups=104,105", "--", "/q", "-x",
            ])
    }

    @Test("as root without devices: no groups at all")
    func noGroups() {
        let confinement = HostConfinement(
            account: .init(user: 7), controlGroup: nil, fileSize: 20, addressSpace: 30, threads: nil)
        #expect(
            confinement.arguments(["/q"]) == [
                "/usr/bin/prlimit", "--core=0:0", "--fsize=20:20", "--as=30:30", "--", "/usr/bin/setpriv",
                "--pdeathsig=KILL", "--no-new-privs", "--reuid=7", "--regid=7", "--inh-caps=-all",
                "--bounding-set=-all", "--clear-groups", "--", "/q",
            ])
    }

    @Test("as an ordinary user: it dies with its parent and gets no more rights")
    func user() {
        let confinement = HostConfinement(
            account: nil, controlGroup: nil, fileSize: 20, addressSpace: 30, threads: nil)
        #expect(
            confinement.arguments(["/q"]) == [
                "/usr/bin/prlimit", "--core=0:0", "--fsize=20:20", "--as=30:30", "--", "/usr/bin/setpriv",
                "--pdeathsig=KILL", "--no-new-privs", "--", "/q",
            ])
    }
}
