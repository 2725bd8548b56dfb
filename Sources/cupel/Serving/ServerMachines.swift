// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Foundation
import Logging
import Machines
import Storage

/// The machines of a service that gives each build one of its own.
struct ServerMachines {
    let pool: MachinePool
    private let metrics: Metrics

    /// Looks at the image and at this host, and begins to boot the spare ones.
    ///
    /// Throws where the settings ask for machines that this host cannot have: nothing weaker takes their place.
    static func start(
        _ configuration: Configuration, _ data: DataFolder, metrics: Metrics, logger: Logger
    ) async throws -> ServerMachines {
        let settings = try await MachineSettings(configuration, data, logger: logger)
        if configuration.attester != "auto" {
            logger.notice(
                "Machines vouch for themselves: the attester of this host is not asked",
                metadata: ["attester": "\(configuration.attester)"])
        }
        let count = Int64(configuration.concurrency + configuration.machines.spare)
        let (wanted, found) = (count * settings.memory, Int64(clamping: ProcessInfo.processInfo.physicalMemory))
        if wanted > found {
            logger.warning(
                "Machines may need more memory than this host has",
                metadata: ["machines": "\(count)", "machine.memory": "\(settings.memory)", "host.memory": "\(found)"])
        }
        let pool = MachinePool(settings, spare: configuration.machines.spare, logger: logger) { news in
            switch news {
            case .booted(let time): metrics.machineBooted(after: time)
            case .failed: metrics.machineFailed()
            case .spare(let count): metrics.spareMachines(count)
            }
        }
        return ServerMachines(pool: pool, metrics: metrics)
    }

    /// Has each build of a job run in a machine of its own.
    func relay(_ configuration: Configuration) -> Relay {
        Relay(limits: RelayLimits(configuration.limits)) { [pool, metrics] report throws(MachineError) in
            let machine = try await pool.take(report: report)
            metrics.machineTaken()
            Task {
                _ = await machine.ended()
                metrics.machineEnded()
            }
            return machine
        }
    }
}

extension MachineSettings {
    /// What the settings mean on this host. The log says which kind it is, and what is lost where it is emulated.
    init(_ configuration: Configuration, _ data: DataFolder, logger: Logger) async throws {
        let choices = configuration.machines
        let image = try MachineImage(folder: choices.image)
        let host = await MachineHost.look(firmware: choices.namedFirmware)
        self = try Self.meant(
            by: choices, image: image, on: host, folder: data.machinesPath, tpmAuthority: data.machineAuthorityPath)
        if choices.kind == "auto" { Self.sayWhatIsStronger(than: kind, host, logger) }
        if let why = host.whyEmulated { logger.warning("Machines are emulated", metadata: ["reason": "\(why)"]) }
        logger.info(
            "Chose what machines are",
            metadata: [
                "machine.kind": "\(kind.rawValue)", "machine.accelerator": "\(host.accelerator.rawValue)",
                "machine.image": "\(image.folder)", "machine.firmware": "\(firmware.code)",
            ])
    }

    /// Throws where this host cannot have such machines, or no host can.
    static func meant(
        by choices: MachineChoices, image: MachineImage, on host: MachineHost, folder: String,
        tpmAuthority: String
    ) throws -> MachineSettings {
        let kind = try kind(choices.kind, host)
        let settings = MachineSettings(
            image: image, kind: kind, accelerator: host.accelerator,
            firmware: try MachineFirmware(for: kind, path: choices.namedFirmware), cpus: choices.cpus,
            memory: choices.memory, disk: choices.disk, network: MachineNetwork(rawValue: choices.network) ?? .none,
            bootDeadline: .seconds(choices.bootSeconds), folder: folder, tpmAuthority: tpmAuthority)
        do throws(MachineError) {
            try settings.check()
        } catch {
            throw ConfigurationError(error.message)
        }
        return settings
    }

    /// Nobody should think that a host has confidential machines because it had them once.
    private static func sayWhatIsStronger(than kind: MachineKind, _ host: MachineHost, _ logger: Logger) {
        for stronger in MachineKind.allCases.prefix(while: { $0 != kind }) {
            logger.notice(
                "A stronger kind of machines cannot be had here",
                metadata: [
                    "machine.kind": "\(stronger.rawValue)",
                    "machine.lacks": "\(host.lacks(stronger).joined(separator: "; "))",
                ])
        }
    }

    private static func kind(_ name: String, _ host: MachineHost) throws -> MachineKind {
        guard let kind = MachineKind(rawValue: name) else {
            if let strongest = host.strongest { return strongest }
            throw lacking(.vtpm, host, "no machine can be had on this host, not even one with a TPM in software")
        }
        guard host.lacks(kind).isEmpty else {
            throw lacking(kind, host, "machines of the kind \(name) cannot be had on this host")
        }
        return kind
    }

    private static func lacking(_ kind: MachineKind, _ host: MachineHost, _ what: String) -> CommandFailure {
        CommandFailure(
            "\(what): \(host.lacks(kind).joined(separator: "; "))", hint: "'cupel doctor' shows what each kind needs")
    }
}

extension MachineChoices {
    /// The firmware's file, where one is named.
    var namedFirmware: String? { firmware == "auto" ? nil : firmware }
}
