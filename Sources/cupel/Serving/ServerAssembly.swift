// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer
import Builder
import Builds
import Foundation
import Logging
import Machines
import NIOCore
import Pipeline
import Sandbox
import Storage

/// Puts the parts of a server together, and runs it until it is told to stop.
struct ServerAssembly {
    let configuration: Configuration

    func run() async throws {
        let metrics = Metrics()
        let (format, level) = (configuration.chosenLogFormat, configuration.chosenLogLevel)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format, level: level, metrics: metrics) }
        let logger = Logger(label: "cupel")
        let choice = try BuildPlaceChoice(configuration) { () throws(ConfigurationError) in
            try ConfidentialMachine.platform()
        }
        let data = try DataFolder(path: configuration.data)
        metrics.chose(choice.place)
        logger.info(
            "Chose where builds run",
            metadata: ["isolation.place": "\(choice.place.rawValue)", "isolation.reason": "\(choice.reason)"])
        // An earlier run that was killed may have chosen another place.
        await MachinePool.removeLeftovers(folder: data.machinesPath, logger: logger)
        Sandbox.removeLeftovers(in: data.workspacesPath)
        switch choice.place {
        case .here, .sandbox: try await serveHere(data, metrics, logger)
        case .machine: try await serveMachines(data, metrics, logger)
        }
    }

    /// Builds run on this machine, in its sandbox.
    private func serveHere(_ data: DataFolder, _ metrics: Metrics, _ logger: Logger) async throws {
        if !configuration.sandbox { logger.warning("Builds run unconfined", metadata: ["setting": "sandbox = false"]) }
        let sandbox = try await HostSandbox.prepare(configuration, folder: data.workspacesPath)
        let pipeline = try BuildPipeline(configuration, sandbox: sandbox, host: try host(data, logger))
        // When this ends, however it does, warming up is cancelled and waited for: its commands end before this process.
        async let _ = pipeline.warmUp(logger: logger)
        try await serve(data, metrics, logger, runner: PipelineRunner.closure(pipeline, data))
    }

    /// Each build has a machine of its own. When this ends, however it does, so have all machines.
    private func serveMachines(_ data: DataFolder, _ metrics: Metrics, _ logger: Logger) async throws {
        let machines = try await ServerMachines.start(configuration, data, metrics: metrics, logger: logger)
        let runner = MachineRunner.closure(machines.relay(configuration), data, logger)
        do {
            try await serve(data, metrics, logger, runner: runner)
        } catch {
            await machines.pool.shutDown()
            throw error
        }
        await machines.pool.shutDown()
    }

    private func serve(
        _ data: DataFolder, _ metrics: Metrics, _ logger: Logger, runner: @escaping BuildRunner
    ) async throws {
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let service = BuildService(
            configuration: configuration, data: data, store: try SQLiteBuildStore(path: data.databasePath),
            logs: EventLogs(folder: data, limit: configuration.limits.logSize), logger: logger,
            version: CupelVersion.text, metrics: metrics,
            onListening: { Console.print("serving http://\(host):\($0)") }, runner: runner)
        do {
            try await service.run()
        } catch let error as IOError {
            throw CommandFailure(
                "could not serve on \(host):\(configuration.port): \(String(cString: strerror(error.errnoCode)))",
                hint: "name another place with --host and --port")
        } catch let error as SocketAddressError.UnknownHost {
            throw CommandFailure("'\(error.host)' is no host or address of this machine")
        }
    }

    private func host(_ data: DataFolder, _ logger: Logger) throws -> HostAttester {
        let key = try data.softwareKey(generate: SoftwareAttester.generateKey)
        let chosen = try HostAttester.choose(configuration) { () throws(AttesterError) in
            try SoftwareAttester(privateKey: key)
        }
        logger.info("Chose who vouches for this machine", metadata: chosen.facts)
        return chosen
    }
}
