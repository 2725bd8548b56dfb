// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Builds
import Foundation
import TestServers

/// What an agent answers, request by request: by default what a good one does.
struct ScriptedAgent: Sendable {
    var events: [BuildEvent] = ScriptedAgent.good
    var result: [UInt8] = []
    /// In place of the good answer, where it gives one.
    var instead: @Sendable (ScriptedServer.Request) -> [UInt8]? = { _ in nil }

    static let good: [BuildEvent] = [
        .queued(position: 0), .detect("cargo"), .initialize("Verifying build inputs"), .build("   Compiling probe"),
        .build("    Finished"), .provenance("Generating provenance"), .attest("Generating attestation"), .complete(nil),
    ]

    /// What of a stream of these events reaches the log.
    static func relayed(_ events: [BuildEvent]) -> [BuildEvent] {
        events.filter {
            switch $0 {
            case .queued, .complete: false
            default: true
            }
        }
    }

    func answer(_ request: ScriptedServer.Request) -> [UInt8] {
        if let answer = instead(request) { return answer }
        if request.line.hasPrefix("POST /build ") { return Reply.json(202, "{\"job_id\":\"j1\"}") }
        if request.line.contains("/events") { return Reply.stream(Self.wire(events, from: Self.from(request))) }
        if request.line.hasPrefix("GET /build/j1/result ") {
            return Reply.bytes(200, "Content-Length: \(result.count)\r\n", result)
        }
        return Reply.status(404, "not known")
    }

    static func wire(_ events: [BuildEvent], from: Int = 0) -> String {
        events.dropFirst(from).map { String(decoding: $0.wireBytes, as: UTF8.self) }.joined()
    }

    static func from(_ request: ScriptedServer.Request) -> Int {
        request.line.split(separator: "from=").dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    }

    /// Runs `use` with a machine whose agent this is.
    func serve<Value>(
        closes: Bool = true, _ use: (StandInMachine) async throws -> Value
    ) async throws -> Value {
        let server = try await ScriptedServer(closes: closes) { _, request in answer(request) }
        let value = try await use(StandInMachine(address: try server.address.text))
        try await server.stop()
        return value
    }
}
