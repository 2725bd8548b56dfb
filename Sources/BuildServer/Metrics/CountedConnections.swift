// SPDX-License-Identifier: Apache-2.0
import HummingbirdCore
import Logging
import NIOCore

/// Counts connections from the moment that they are accepted until they are closed.
struct CountedConnections<Channel: ServerChildChannel>: ServerChildChannel {
    let channel: Channel
    let metrics: Metrics

    func setup(channel connection: any NIOCore.Channel, logger: Logger) -> EventLoopFuture<Channel.Value> {
        channel.setup(channel: connection, logger: logger)
    }

    func handle(value: Channel.Value, logger: Logger) async {
        metrics.connections.add()
        metrics.openConnections.add()
        defer { metrics.openConnections.add(-1) }
        await channel.handle(value: value, logger: logger)
    }
}
