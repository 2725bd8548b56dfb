// SPDX-License-Identifier: Apache-2.0
public import BuildServer
import Builds

/// The settings of a machine that builds once: what the image says, within what the machine has.
public enum GuestSettings {
    /// Where the image has them.
    public static let path = "/etc/cupel/guest.toml"

    /// Settings that may stand there, and tables of which each may. The others are about a service that builds many
    /// times, for many, on a machine that is also used for something else.
    private static let allowed: Set<String> = [
        "allow_private_sources", "builder_id", "keep_alive_seconds", "metrics", "guest", "limits", "log", "nix",
    ]

    /// Throws at a setting that is wrong, or makes no sense in such a machine.
    ///
    /// - Parameter file: the image's; `nil` where it has none.
    public static func load(
        _ file: Configuration.File?, machine: MachineSize
    ) throws(ConfigurationError) -> Configuration {
        var configuration = try Configuration.load(file: file, overrides: fixed)
        let given = try Set(file?.settingNames() ?? [])
        if let wrong = given.filter({ !isAllowed($0) }).min() {
            throw ConfigurationError("the setting \(wrong) makes no sense within a machine that builds once")
        }
        if !given.contains("log.level") { configuration.logLevel = "warning" }
        let limits = configuration.limits
        configuration.limits.memory = min(given.contains("limits.memory") ? limits.memory : .max, machine.buildMemory)
        configuration.limits.diskSize = min(limits.diskSize, machine.buildDisk)
        configuration.limits.diskFiles = min(limits.diskFiles, machine.buildFiles)
        return configuration
    }

    /// Throws where ``load(_:machine:)`` would, in whatever machine.
    public static func check(_ file: Configuration.File) throws(ConfigurationError) {
        _ = try load(file, machine: MachineSize(memory: .max, disk: .max, files: .max))
    }

    /// The way of one build: in the sandbox, for whoever reaches the host's end of the network.
    private static let fixed = [
        "host": "0.0.0.0", "port": "8080", "data": "/var/lib/cupel", "concurrency": "1", "queue_length": "0",
        "sandbox": "true", "retention.age": "none", "retention.size": "none",
    ]

    private static func isAllowed(_ name: String) -> Bool {
        allowed.contains(name) || allowed.contains(String(name.prefix { $0 != "." }))
    }
}

extension Configuration {
    /// How long the machine waits for others.
    public var patience: OneBuild.Patience {
        OneBuild.Patience(
            job: guest.build == 0 ? nil : .seconds(guest.build),
            reader: guest.result == 0 ? nil : .seconds(guest.result))
    }
}
