// SPDX-License-Identifier: Apache-2.0
import Builds
import Logging

extension ConfigurationKey {
    /// Every setting, in the order of the documentation.
    public static let all: [ConfigurationKey] =
        service + machine + guest + retention + client + log + nix + limits

    /// The values of `attester`.
    public static let attesters = ["auto", "snp", "tdx", "az-snp", "az-tdx", "vtpm", "software"]

    private static let service: [ConfigurationKey] = [
        .init(
            "host", .text(\.host), "Name or address of this machine to listen on.",
            risk: "The API has no accounts: whoever reaches the port may build; keep it on loopback or behind a proxy."),
        .init(
            "port", .number(\.port, unit: "TCP port", 0...65535), "Port to listen on; 0 takes any free one.",
            risk: "None."),
        .init(
            "data", .text(\.data), "Folder for jobs, results, the database and the signing key.",
            risk: "Whoever reads it can sign as this service; a shared or network folder may lose accepted jobs."),
        .init(
            "concurrency", .number(\.concurrency, unit: "builds", 1...1024), "Builds that run at one time.",
            risk: "Each may use all of its limits; too many exhaust memory and disk."),
        .init(
            "queue_length", .number(\.queueLength, unit: "jobs", 0...100_000),
            "Jobs that may wait; more are answered with 503.",
            risk: "Each waiting job may keep an upload of limits.upload_size on disk."),
        .init(
            "allow_private_sources", .flag(\.allowPrivateSources),
            "Whether git sources and registries may be at loopback, link-local and private addresses.",
            risk: "Requesters can make this machine call services that only it reaches, such as cloud metadata."),
        .init(
            "sandbox", .flag(\.sandbox), "Whether builds are confined.",
            risk: "Without it a build may read the signing key and change other results; the provenance records it."),
        .init(
            "isolation", .choice(\.isolation, isolations),
            "Where builds run: here (this is a confidential machine), in a machine of their own (vm), in the sandbox of "
                + "this host (sandbox), or in the strongest of them that there is (auto).",
            risk: "In the sandbox of a host that is no confidential machine, its operator can forge everything."),
        .init(
            "attester", .choice(\.attester, attesters),
            "Who vouches for this machine: auto (the hardware of a confidential machine, else a key), or one by name.",
            risk: "With software a key vouches, which proves nothing about the machine."),
        .init(
            "grace_seconds", .number(\.graceSeconds, unit: "seconds", 0...86400),
            "Time for running builds after SIGTERM; then they are put back in line for the next start.",
            risk: "A supervisor that kills earlier counts as a crash, which a build survives only once."),
        .init(
            "keep_alive_seconds", .number(\.keepAliveSeconds, unit: "seconds", 1...3600),
            "Silence on an event stream after which a comment line is sent.",
            risk: "Proxies close streams that are silent for longer than they allow."),
        .init(
            "metrics", .flag(\.metrics), "Whether GET /metrics is served.",
            risk: "Whoever reaches the port sees how much is built, how it ends, and which release runs."),
        .init(
            "builder_id", .text(\.builderID), "The URI that names this service in the provenance.",
            risk: "Verifiers tell services apart by it; two services must not share one."),
    ]

    /// The values of `isolation`.
    public static let isolations = ["auto"] + BuildPlace.allCases.map(\.rawValue)

    /// The values of `machine.kind`.
    public static let machineKinds = ["auto", "snp", "tdx", "vtpm"]

    /// The values of `machine.network`.
    public static let machineNetworks = ["user", "none"]

    private static let machine: [ConfigurationKey] = [
        .init(
            "machine.image", .text(\.machines.image), "Folder of the image that machines boot, or none.",
            risk: "Whoever may write there chooses what builds; verifiers notice by its measurement."),
        .init(
            "machine.kind", .choice(\.machines.kind, machineKinds),
            "What machines are: confidential (snp, tdx), an ordinary one with a TPM (vtpm), or the strongest that there is.",
            risk: "A vtpm machine is measured, not confidential: the host's operator can forge what it says."),
        .init(
            "machine.firmware", .text(\.machines.firmware), "The firmware's file, or auto for the distribution's.",
            risk: "It is measured: with another one, verifiers expect other values."),
        .init(
            "machine.cpus", .number(\.machines.cpus, unit: "processors", 1...255), "Processors of one machine.",
            risk: "Their number is measured on SEV-SNP: with another one, verifiers expect another value."),
        .init(
            "machine.memory", .bytes(\.machines.memory, (512 << 20)...(1 << 50)), "Memory of one machine.",
            risk: "Each machine takes it, the spare ones too; too much of it brings the host to swap or worse."),
        .init(
            "machine.disk", .bytes(\.machines.disk, (1 << 30)...(1 << 50)), "Scratch disk of one machine.",
            risk: "It grows in the data folder as the build writes; full disks fail other builds."),
        .init(
            "machine.spare", .number(\.machines.spare, unit: "machines", 0...64),
            "Machines that are booted beforehand, so that a build need not wait for it.",
            risk: "Each takes its memory while it waits."),
        .init(
            "machine.boot_seconds", .number(\.machines.bootSeconds, unit: "seconds", 5...3600),
            "Time for a machine until its agent answers.",
            risk: "Too short, and builds fail where the host is busy; too long, and a broken image is found out late."),
        .init(
            "machine.network", .choice(\.machines.network, machineNetworks),
            "Whether machines have a network until their build phase begins (user), or never (none).",
            risk: "With user a machine reaches what this host reaches, until its build phase begins."),
    ]

    private static let guest: [ConfigurationKey] = [
        .init(
            "guest.wait", .span(\.guest.build, 0...(3660 * 86400)),
            "In a machine's guest.toml: time that it waits for its build before it powers off, or none.",
            risk: "With none, a machine that its host has forgotten runs on; with little, the pool is made anew often."),
        .init(
            "guest.keep", .span(\.guest.result, 0...(3660 * 86400)),
            "In a machine's guest.toml: time after the build, or the last download, that it keeps the result, or none.",
            risk: "With none, a machine that its host has forgotten runs on; with little, readers come too late."),
    ]

    private static let retention: [ConfigurationKey] = [
        .init(
            "retention.age", .span(\.retention.age, 0...(3660 * 86400)),
            "Time after its end for which a job is kept, with its events and its result: seconds, or such as 30 days.",
            risk: "With none, jobs stay until the disk is full; with little, requesters come too late."),
        .init(
            "retention.size", .bytes(\.retention.size, 0...(1 << 50)),
            "Events and results of all jobs that are over, together; beyond it, those that ended first are removed.",
            risk:
                "With none, jobs stay until the disk is full; with little, many builds push out the results of others."),
    ]

    private static let client: [ConfigurationKey] = [
        .init(
            "client.jobs", .number(\.clients.jobs, unit: "jobs", 1...1_000_000),
            "Jobs of one client address that may wait or run; more are answered with 429.",
            risk: "With more than queue_length, one client can take the whole line."),
        .init(
            "client.submissions", .number(\.clients.submissions, unit: "a minute", 1...1_000_000),
            "Submissions of one client address in a minute; more are answered with 429.",
            risk: "Each may bring an upload, and costs the disk a write."),
        .init(
            "client.readers", .number(\.clients.readers, unit: "connections", 1...1_000_000),
            "Event streams and downloads that one client address may have open; more are answered with 429.",
            risk: "Each costs a connection and an open file, of which the process has a limited number."),
        .init(
            "client.address_header", .text(\.clients.addressHeader),
            "The header in which a trusted proxy names the client, such as X-Forwarded-For, or none.",
            risk: "Without it, all clients behind a proxy count as one; with one that the proxy passes on, they lie."),
        .init(
            "client.trusted_proxies", .text(\.clients.trustedProxies),
            "Addresses and blocks of addresses whose client.address_header is believed, separated by spaces, or none.",
            risk: "Whoever connects from there can name any client."),
    ]

    /// The values of `log.level`, the most talkative first.
    public static let logLevels = Logger.Level.allCases.map(\.rawValue)

    private static let log: [ConfigurationKey] = [
        .init(
            "log.format", .choice(\.logFormat, LogFormat.allCases.map(\.rawValue)),
            "How a line of the log looks: for people (text), or one JSON object (json).", risk: "None."),
        .init(
            "log.level", .choice(\.logLevel, logLevels), "The least level that is logged.",
            risk:
                "Above warning, faults that you should mend are not seen; below info, the log grows with each request."),
        .init(
            "log.requests", .flag(\.logRequests),
            "Whether each answered request is logged at the level info; else it is at debug.",
            risk: "The log grows with each request, and holds the ids of jobs, which are all that protects them."),
    ]

    /// The values of `nix.sandbox`.
    public static let nixSandboxes = ["auto", "required"]

    /// The values of `nix.fetch_programs`.
    public static let nixFetchPrograms = ["builtin", "any"]

    private static let nix: [ConfigurationKey] = [
        .init(
            "nix.substituters", .text(\.nixSubstituters),
            "Nix binary caches that builds may use, separated by spaces, or none.",
            risk: "What comes from a cache was built by somebody else; the provenance lists it apart."),
        .init(
            "nix.trusted_public_keys", .text(\.nixTrustedPublicKeys),
            "Keys of which one must have signed what a cache delivers, separated by spaces, or none.",
            risk: "Whoever has such a key decides what builds are made with."),
        .init(
            "nix.fetch_programs", .choice(\.nixFetchPrograms, nixFetchPrograms),
            "What fixed-output derivations may run with network: Nix's own downloads (builtin), or any program.",
            risk: "A program of the project reaches what this machine reaches, such as cloud metadata."),
        .init(
            "nix.sandbox", .choice(\.nixSandbox, nixSandboxes),
            "Whether builds are refused where Nix cannot confine each derivation (required) or not (auto).",
            risk: "Without it a derivation sees the machine's own programs; the provenance records it."),
    ]

    private static let sizes: ClosedRange<Int64> = 1...(1 << 50)

    private static let limits: [ConfigurationKey] = [
        .init(
            "limits.upload_size", .bytes(\.limits.uploadSize, sizes), "Size of an uploaded archive.",
            risk: "Uploads fill the disk of the data folder."),
        .init(
            "limits.unpacked_size", .bytes(\.limits.unpackedSize, sizes), "Size of a source tree.",
            risk: "A small archive or repository can unpack to fill the disk."),
        .init(
            "limits.file_count", .number(\.limits.fileCount, unit: "files", 1...100_000_000),
            "Files, folders and links of a source tree.", risk: "Many small files exhaust inodes."),
        .init(
            "limits.compression_ratio", .number(\.ratio, unit: "bytes per byte", 1...1_000_000),
            "Unpacked bytes for each byte of an archive, beyond the first 16 MiB.",
            risk: "Archives made to explode cost time before another limit stops them."),
        .init(
            "limits.path_length", .number(\.limits.pathLength, unit: "bytes", 16...4000),
            "Length of one path within a source tree.",
            risk: "Longer paths than the system takes cannot be removed easily."),
        .init(
            "limits.path_depth", .number(\.limits.pathDepth, unit: "folders", 1...2000),
            "Folders within each other.", risk: "Deep trees are slow to walk."),
        .init(
            "limits.log_size", .bytes(\.limits.logSize, (64 << 10)...(1 << 50)), "Size of a build's event log.",
            risk: "A build that prints without end fills the disk."),
        .init(
            "limits.fetch_seconds", .number(\.limits.fetchSeconds, unit: "seconds", 1...604_800),
            "Time for cloning or unpacking, and for the fetch phase, each.",
            risk: "A slow source keeps a place in line."),
        .init(
            "limits.build_seconds", .number(\.limits.buildSeconds, unit: "seconds", 1...604_800),
            "Time for the build phase.", risk: "A build without end keeps a place in line."),
        .init(
            "limits.memory", .bytes(\.limits.memory, (16 << 20)...(1 << 50)),
            "Memory of all processes of a build together.", risk: "Builds can bring the machine to swap or worse."),
        .init(
            "limits.processes", .number(\.limits.processes, unit: "processes and threads", 1...1_000_000),
            "Processes and threads of a build at one time.", risk: "Fork bombs exhaust the machine's process table."),
        .init(
            "limits.disk_size", .bytes(\.limits.diskSize, sizes), "Size of a build's whole workspace.",
            risk: "Builds fill the disk of the data folder."),
        .init(
            "limits.disk_files", .number(\.limits.diskFiles, unit: "files", 1...1_000_000_000),
            "Files of a build's whole workspace.", risk: "Many small files exhaust inodes."),
        .init(
            "limits.open_files", .number(\.limits.openFiles, unit: "files", 16...1_048_576),
            "Open files of one process.", risk: "Too few break compilers and linkers; too many cost kernel memory."),
        .init(
            "limits.artifact_size", .bytes(\.limits.artifactSize, sizes), "Size of all artifacts of a build together.",
            risk: "Results stay on disk; large ones fill it."),
    ]
}

extension Configuration {
    /// ``BuildLimits/compressionRatio`` as the plain number that the file holds.
    fileprivate var ratio: Int {
        get { Int(limits.compressionRatio) }
        set { limits.compressionRatio = Int64(newValue) }
    }
}
