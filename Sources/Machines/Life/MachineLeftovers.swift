// SPDX-License-Identifier: Apache-2.0
internal import CProcess
internal import Foundation
internal import Processes

/// What an earlier run of the service left of its machines, when it was killed. Its processes are told of its death, and
/// mostly dead by the next start; its folders are there.
package enum MachineLeftovers {
    /// Programs of which a machine's processes consist, and how names of more of them begin.
    private static let programs: Set<String> = ["sh", "prlimit", "setpriv", "openssl"]
    private static let families = ["qemu-system", "swtpm", "tpm2"]

    /// Kills the processes of machines whose folders are in `folder`, and removes those.
    ///
    /// - Parameter start: what began later is no leftover; in ticks since the system's start, of this process where
    ///   nothing is said.
    package static func remove(in folder: String, before start: UInt64? = nil) {
        // As the kernel tells where processes work: without links or doubled slashes.
        let folder = URL(filePath: folder, directoryHint: .isDirectory).resolvingSymlinksInPath().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let machines = names.filter { $0.hasPrefix(MachineFolder.prefix) }.map { "\(folder)/\($0)" }
        if !machines.isEmpty {
            let start = start ?? ProcessTable.startTime(of: getpid()) ?? 0
            let places = Set(machines + machines.map { "\($0)/tpm" })
            Orphans.kill { isLeft($0, places, before: start) }
        }
        for machine in machines { try? FileManager.default.removeItem(atPath: machine) }
        ControlGroups.delegated()?.removeAll(prefix: MachineFolder.prefix)
    }

    /// A process of a machine works in the machine's folder, is one of few programs, and began before this one did.
    private static func isLeft(_ process: pid_t, _ places: Set<String>, before start: UInt64) -> Bool {
        guard let place = ProcessTable.link("/proc/\(process)/cwd"),
            places.contains(where: { place == $0 || place.hasPrefix($0 + "/") }),
            let begin = ProcessTable.startTime(of: process), begin <= start,
            let program = ProcessTable.arguments(of: process).first?.split(separator: "/").last.map(String.init)
        else { return false }
        return programs.contains(program) || families.contains { program.hasPrefix($0) }
    }
}
