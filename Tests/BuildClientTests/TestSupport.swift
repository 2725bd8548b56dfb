// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Foundation
import TestServers

/// A clock whose sleeps are over at once.
struct InstantClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}

/// A folder of its own, removed with the value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cupel-client-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Talks to a server that gives `replies`, one after another, and returns what it was asked.
func talk<Result>(
    _ replies: [[UInt8]], attempts: Int = 3, _ body: (BuildClient) async throws -> Result
) async throws -> (result: Result, requests: [ScriptedServer.Request]) {
    try await talk(attempts: attempts, body) { count, _ in
        replies.indices.contains(count) ? replies[count] : Reply.status(499, "the script is at its end")
    }
}

/// Talks to a server that answers by `script`, and returns what it was asked.
func talk<Result>(
    attempts: Int = 3, _ body: (BuildClient) async throws -> Result, script: @escaping ScriptedServer.Script
) async throws -> (result: Result, requests: [ScriptedServer.Request]) {
    let server = try await ScriptedServer(script)
    let result = try await BuildClient.with(
        server.address, schedule: RetrySchedule(attempts: attempts), clock: InstantClock(), body)
    try await server.stop()
    return (result, server.requests)
}
