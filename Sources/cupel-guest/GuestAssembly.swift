// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer
import Builder
import Builds
import Foundation
import Guest
import Logging
import Pipeline
import Storage
import Toolchains

/// Brings the machine up, serves one build, and returns when that is over.
enum GuestAssembly {
    private static let disk = "/var"
    /// What the files of the image's root digest to, as `cupel image build` has written it there.
    private static let digests = "/usr/lib/cupel/sha256sums"

    static func run() async throws {
        MachineConsole.say("begins")
        // Whoever vouches is asked while the disk and the network come up.
        async let asked = Self.askHardware()
        let devices = try await Devices.found()
        async let network: Void = beginNetwork(devices)
        try ScratchDisk(device: try devices.disk(serial: ScratchDisk.serial)).mount(at: disk)
        MachineConsole.say("the disk is encrypted and empty")
        try makeFolders()
        let configuration = try GuestSettings.load(settingsFile(), machine: MachineSize(disk: disk))
        try await network
        try await serve(configuration, host: try await asked)
        await OpenConnections.wait(port: configuration.port)
    }

    @concurrent private static func beginNetwork(_ devices: Devices) async throws {
        try GuestNetwork(devices).begin(resolverFile: "/run/resolv.conf")
        MachineConsole.say("the network is up")
    }

    @concurrent private static func askHardware() async throws -> HostAttester {
        let host = try HostAttester.hardware()
        MachineConsole.say("evidence: \(host.attester.platform), from \(host.source)")
        return host
    }

    private static func serve(_ configuration: Configuration, host: HostAttester) async throws {
        let metrics = Metrics()
        let (format, level) = (configuration.chosenLogFormat, configuration.chosenLogLevel)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format, level: level, metrics: metrics) }
        let logger = Logger(label: "cupel-guest")
        let data = try DataFolder(path: configuration.data)
        let sandbox = try await HostSandbox.prepare(configuration, folder: data.workspacesPath)
        MachineConsole.say("the sandbox works")
        let pipeline = try BuildPipeline(
            configuration, sandbox: sandbox, host: host, knownDigests: try KnownFileDigests(listAt: digests))
        let service = BuildService(
            configuration: configuration, data: data, store: try SQLiteBuildStore(path: data.databasePath),
            logs: EventLogs(folder: data, limit: configuration.limits.logSize), logger: logger,
            version: CupelVersion.text, metrics: metrics, oneBuild: OneBuild(patience: configuration.patience),
            onListening: { _ in
                MachineConsole.say("ready for one build")
                // In a machine that waits for its build, the toolchains are known when that comes. Nobody waits for
                // this: at the end it goes with the machine.
                Task { await warmUp(pipeline, logger) }
            },
            runner: PipelineRunner.closure(pipeline, data))
        try await service.run()
    }

    private static func warmUp(_ pipeline: BuildPipeline, _ logger: Logger) async {
        await pipeline.warmUp(logger: logger)
        MachineConsole.say("the toolchains are known")
    }

    private static func makeFolders() throws {
        for folder in ["/var/lib", "/var/tmp"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        }
        guard chmod("/var/tmp", 0o1777) == 0 else { throw POSIXError(.EPERM) }
    }

    /// `nil` where the image has none. One that cannot be read is an error.
    private static func settingsFile() throws -> Configuration.File? {
        guard FileManager.default.fileExists(atPath: GuestSettings.path) else { return nil }
        return Configuration.File(
            name: GuestSettings.path, text: try String(contentsOfFile: GuestSettings.path, encoding: .utf8))
    }
}

extension Devices {
    /// The devices, once the two are there that every machine needs. Drivers find theirs a moment after they are loaded.
    fileprivate static func found() async throws -> Devices {
        let devices = Devices()
        for _ in 0..<200 {
            if (try? devices.disk(serial: ScratchDisk.serial)) != nil, (try? GuestNetwork(devices)) != nil { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        return devices
    }
}
