// SPDX-License-Identifier: Apache-2.0
package import CProcess
internal import Foundation
package import Logging
internal import Processes

/// What an earlier run of the service left of its machines, when it was killed. Its processes are told of its death, and
/// mostly dead by the next start; its folders are there.
package enum MachineLeftovers {
    /// Programs of which a machine's processes consist, and how names of more of them begin.
    private static let programs: Set<String> = ["sh", "prlimit", "setpriv", "openssl"]
    private static let families = ["qemu-system", "swtpm", "tpm2"]

    /// Kills the processes of machines whose folders are in `folder`, and removes those. Warns of what stays.
    ///
    /// - Parameter start: what began later is no leftover; in ticks since the system's start. Where it is not known,
    ///   nothing is removed.
    package static func remove(in folder: String, before start: UInt64?, logger: Logger) {
        remove(in: folder, before: start, logger: logger) { Orphans.kill(where: $0) }
    }

    /// - Parameter kill: kills all such processes, and returns whether none is left.
    package static func remove(
        in folder: String, before start: UInt64?, logger: Logger, kill: (_ isLeft: (pid_t) -> Bool) -> Bool
    ) {
        // As the kernel tells where processes work: without links or doubled slashes.
        let folder = URL(filePath: folder, directoryHint: .isDirectory).resolvingSymlinksInPath().path
        guard let start else {
            logger.warning(
                "Nothing of an earlier run's machines was removed: the start of this process cannot be read from /proc",
                metadata: ["machine.folder": "\(folder)"])
            return
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let machines = names.filter { $0.hasPrefix(MachineFolder.prefix) }.map { "\(folder)/\($0)" }
        let areEnded = machines.isEmpty || kill { isLeft($0, machines, before: start) }
        for machine in machines {
            let processes = areEnded ? [] : left(in: machine, before: start)
            if processes.isEmpty {
                remove(machine, logger)
            } else {
                logger.warning(
                    "Processes of an earlier run's machine could not be ended: its folder stays",
                    metadata: [
                        "machine.folder": "\(machine)",
                        "machine.processes": "\(processes.map { "\($0)" }.joined(separator: ", "))",
                    ])
            }
        }
        ControlGroups.delegated()?.removeAll(prefix: MachineFolder.prefix)
    }

    private static func remove(_ machine: String, _ logger: Logger) {
        do {
            try FileManager.default.removeItem(atPath: machine)
        } catch {
            logger.warning(
                "The folder of an earlier run's machine could not be removed",
                metadata: ["machine.folder": "\(machine)", "machine.error": "\(error.localizedDescription)"])
        }
    }

    private static func left(in machine: String, before start: UInt64) -> [pid_t] {
        ProcessTable.names(in: "/proc").compactMap { pid_t($0) }.filter { isLeft($0, [machine], before: start) }
    }

    /// A process of a machine works in the machine's folder, is one of few programs, and began before this one did.
    private static func isLeft(_ process: pid_t, _ machines: [String], before start: UInt64) -> Bool {
        guard let place = ProcessTable.link("/proc/\(process)/cwd"),
            machines.contains(where: { place == $0 || place.hasPrefix($0 + "/") }),
            let begin = ProcessTable.startTime(of: process), begin <= start,
            let program = ProcessTable.arguments(of: process).first?.split(separator: "/").last.map(String.init)
        else { return false }
        return programs.contains(program) || families.contains { program.hasPrefix($0) }
    }
}
