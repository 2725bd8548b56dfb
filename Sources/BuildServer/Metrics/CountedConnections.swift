// SPDX-License-Identifier: Apache-2.0
import HummingbirdCore
import Logging
import NIOCore

/// Counts connections from the moment that they are accepted until they are closed, whoever holds them by then.
struct CountedConnections<Channel: ServerChildChannel>: ServerChildChannel {
    let channel: Channel
    let metrics: Metrics

    func setup(channel connection: any NIOCore.Channel, logger: Logger) -> EventLoopFuture<Channel.Value> {
        let open = metrics.openConnections
        metrics.connections.add()
        open.add()
        connection.closeFuture.whenComplete { _ in open.add(-1) }
        return channel.setup(channel: connection, logger: logger)
    }

    func handle(value: Channel.Value, logger: Logger) async { await channel.handle(value: value, logger: logger) }
}
