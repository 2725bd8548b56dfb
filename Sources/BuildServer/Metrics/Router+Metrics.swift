// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import Storage

extension Router {
    /// All metrics as they are now; refused like an unknown path where the operator does not serve them.
    func metricsText() async throws -> Response {
        guard configuration.metrics else { throw Refusal.notFound }
        let load = await dispatcher.load
        let (metrics, configuration, version, path) = (metrics, configuration, version, data.path)
        // The system is asked on a thread that may block.
        let text = try await NIOThreadPool.singleton.runIfActive {
            metrics.families(
                .init(
                    version: version, waitingJobs: load.waiting, queueLength: configuration.queueLength,
                    runningBuilds: load.running, concurrency: configuration.concurrency,
                    dataFolder: FreeSpace(of: path), process: ProcessFacts())
            ).map(\.text).joined()
        }
        return Response(
            status: .ok, headers: [.contentType: MetricFamily.contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
