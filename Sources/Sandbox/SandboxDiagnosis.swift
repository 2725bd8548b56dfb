// SPDX-License-Identifier: Apache-2.0
import Builds

/// Says what a host lacks, from what the sandbox's programs complained about.
enum SandboxDiagnosis {
    static func failure(output: String, folder: String, separatesUsers: Bool) -> BuildFailure {
        let complaint = output.split(separator: "\n").last.map(String.init) ?? "no message"
        return BuildFailure(
            .sandbox, "this host cannot confine builds (\(complaint)): \(remedy(complaint, folder, separatesUsers))")
    }

    private static func remedy(_ complaint: String, _ folder: String, _ separatesUsers: Bool) -> String {
        if complaint.contains("namespace") || complaint.contains("uid map") || complaint.contains("NETLINK") {
            return
                "allow user namespaces with 'sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000', "
                + "and on Ubuntu 'sysctl kernel.apparmor_restrict_unprivileged_userns=0', or build unconfined with "
                + "--no-sandbox"
        }
        if separatesUsers, complaint.contains(folder) || complaint.contains("Permission denied") {
            return
                "build users must be able to pass through to \(folder): choose a data folder all of whose parents "
                + "everybody may enter (chmod o+x), such as /var/lib/cupel"
        }
        return "see 'cupel doctor', or build unconfined with --no-sandbox"
    }
}
