// SPDX-License-Identifier: Apache-2.0
import Builds
public import Logging
import NIOCore
public import ServiceLifecycle
public import Storage
import StrictJSON
import UnixSignals

/// The service: takes jobs over HTTP, keeps them, builds a fixed number at a time, and serves their events and results.
public struct BuildService: Service {
    /// Seconds that streams and downloads get to end after the last build has.
    private static let farewellSeconds = 20

    let configuration: Configuration
    private let data: DataFolder
    private let store: any BuildStore
    private let logs: EventLogs
    let logger: Logger
    private let version: String
    let metrics: Metrics
    private let oneBuild: OneBuild?
    private let onListening: @Sendable (_ port: Int) async -> Void
    private let runner: BuildRunner

    /// A service over a data folder that nobody else has open. `onListening` is called with the port that was bound,
    /// once requests are taken. `version` is that of the program, for the API's description;
    /// `metrics` is where everything is counted. With `oneBuild` it takes one job, and ends by itself.
    public init(
        configuration: Configuration, data: DataFolder, store: any BuildStore, logs: EventLogs, logger: Logger,
        version: String, metrics: Metrics = Metrics(), oneBuild: OneBuild? = nil,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        runner: @escaping BuildRunner
    ) {
        self.configuration = configuration
        self.data = data
        self.store = store
        self.logs = logs
        self.logger = logger
        self.version = version
        self.metrics = metrics
        self.oneBuild = oneBuild
        self.onListening = onListening
        self.runner = runner
    }

    /// Serves until SIGTERM or SIGINT, or until the enclosing service group shuts down, and then drains: no new jobs,
    /// running builds get their grace period, streams end. Throws where it cannot listen or cannot read its data.
    public func run() async throws {
        let clients = ClientLimits(configuration.clients)
        let reads = JobReads()
        let retention = Retention(
            configuration.retention, data: data, store: store, logs: logs, reads: reads, metrics: metrics,
            logger: logger)
        let dispatcher = Dispatcher(
            configuration: configuration, data: data, store: store, logs: logs, logger: logger, clients: clients,
            metrics: metrics, oneBuild: oneBuild, runner: runner)
        let readers = Readers(keepAlive: .seconds(configuration.keepAliveSeconds), logger: logger, metrics: metrics)
        let router = Router(
            configuration: configuration, data: data, store: store, logs: logs, dispatcher: dispatcher,
            readers: readers, reads: reads, naming: try ClientNaming(configuration.clients), clients: clients,
            oneBuild: oneBuild, logger: logger,
            description: ByteBuffer(bytes: OpenAPI.document(version: version).canonicalBytes), metrics: metrics,
            version: version)
        let builds = ClosureService {
            await withTaskGroup { group in
                group.addTask { await readers.run() }
                group.addTask { await retention.run() }
                try? await gracefulShutdown()
                await dispatcher.drain(grace: .seconds(configuration.graceSeconds))
                await readers.stop()
                group.cancelAll()
            }
        }
        let jobs = try await recover(store: store, logs: logs, folder: data, logger: logger)
        metrics.keptJobs.set(try await store.allJobs().count)
        logger.info("Data read", metadata: ["jobs.unfinished": "\(jobs.count)"])
        let server = server(router) { port in
            await dispatcher.restore(jobs)
            await onListening(port)
        }
        // Services stop from the last to the first: HTTP goes on until the builds have ended.
        var group = ServiceGroupConfiguration(
            services: [server, builds].map { .init(service: $0) } + Self.ending(with: oneBuild, logger),
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(configuration.graceSeconds + Self.farewellSeconds)
        try await ServiceGroup(configuration: group).run()
    }

    /// What has the other services shut down when the one build is over.
    private static func ending(
        with oneBuild: OneBuild?, _ logger: Logger
    ) -> [ServiceGroupConfiguration.ServiceConfiguration] {
        guard let oneBuild else { return [] }
        let watch = ClosureService {
            let end = await cancelWhenGracefulShutdown { await oneBuild.end() }
            if let end { logger.info("The service has done its one build", metadata: ["end": "\(end.rawValue)"]) }
        }
        return [.init(service: watch, successTerminationBehavior: .gracefullyShutdownGroup)]
    }
}
