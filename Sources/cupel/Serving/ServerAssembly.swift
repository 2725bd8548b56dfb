// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer
import Builder
import Builds
import Foundation
import Logging
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
        let data = try DataFolder(path: configuration.data)
        if !configuration.sandbox { logger.warning("Builds run unconfined", metadata: ["setting": "sandbox = false"]) }
        let sandbox = try await HostSandbox.prepare(configuration, folder: data.workspacesPath)
        let pipeline = try BuildPipeline(configuration, sandbox: sandbox, host: try host(data, logger))
        // When this ends, however it does, warming up is cancelled and waited for: its commands end before this process.
        async let _ = pipeline.warmUp(logger: logger)
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let service = BuildService(
            configuration: configuration, data: data, store: try SQLiteBuildStore(path: data.databasePath),
            logs: EventLogs(folder: data, limit: configuration.limits.logSize), logger: logger,
            version: CupelVersion.text, metrics: metrics,
            onListening: { Console.print("serving http://\(host):\($0)") },
            runner: PipelineRunner.closure(pipeline, data))
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
