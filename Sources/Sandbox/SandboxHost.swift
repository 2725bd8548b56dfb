// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Processes

/// What this machine has to confine with.
struct SandboxHost: Hashable, Sendable {
    /// Build users are `firstUser + slot`: beyond the ranges of systems, containers and directories
    /// (systemd, "Users, Groups, UIDs and GIDs").
    static let firstUser: UInt32 = 1_900_000_000

    let bubblewrapVersion: String
    /// Whether builds run under user ids of their own: only root can give them.
    let separatesUsers: Bool

    static func find(_ confinement: Confinement) throws(BuildFailure) -> SandboxHost {
        guard confinement == .bubblewrap else { return SandboxHost(bubblewrapVersion: "", separatesUsers: false) }
        for program in [Programs.bubblewrap, Programs.prlimit, Programs.setpriv, Programs.unshare]
        where access(program, X_OK) != 0 {
            throw BuildFailure(
                .sandbox,
                "\(program) is missing: install it (apt-get install bubblewrap util-linux), or build unconfined with --no-sandbox"
            )
        }
        return SandboxHost(bubblewrapVersion: try version(), separatesUsers: geteuid() == 0)
    }

    func user(slot: Int) -> UInt32 { separatesUsers ? Self.firstUser + UInt32(clamping: slot) : geteuid() }

    private static func version() throws(BuildFailure) -> String {
        let output = OutputTail()
        let status = try sandboxed { () throws(ProcessError) in
            try HostProcess.run([Programs.bubblewrap, "--version"]) { output.add($0) }
        }
        let text = output.text.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        guard status == 0, let text, text.first?.isNumber == true else {
            throw BuildFailure(.sandbox, "\(Programs.bubblewrap) --version failed: reinstall bubblewrap")
        }
        return text
    }
}

/// The programs that confine, by absolute path: PATH has no say.
enum Programs {
    static let bubblewrap = "/usr/bin/bwrap"
    static let prlimit = "/usr/bin/prlimit"
    static let setpriv = "/usr/bin/setpriv"
    static let mount = "/bin/mount"
    static let unshare = "/usr/bin/unshare"
    static let shell = "/bin/sh"
}
