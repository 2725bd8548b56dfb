// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// Asks a machine's agent whether it is ready.
///
/// That a connection is accepted means nothing: QEMU accepts it before the guest listens. A whole answer counts.
struct HealthProbe: Sendable {
    private static let largestAnswer = 64 << 10
    /// Follows no redirect, and unpacks nothing: a guest that was taken over must not send its host elsewhere.
    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)), decompression: .disabled))

    /// "http://127.0.0.1:43829".
    let address: String

    /// Whether `GET /health` was answered with 200, whole, within that time.
    func isAnswered(within limit: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await isAnswered(deadline: .now() + TimeAmount(limit)) }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }

    private func isAnswered(deadline: NIODeadline) async -> Bool {
        var request = HTTPClientRequest(url: address + "/health")
        request.headers.add(name: "Connection", value: "close")
        do {
            let response = try await Self.client.execute(request, deadline: deadline)
            _ = try await response.body.collect(upTo: Self.largestAnswer)
            return response.status == .ok
        } catch {
            return false
        }
    }
}
