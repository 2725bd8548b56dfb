// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Speaks the build API from the requester's side: ``submit(_:onInterruption:)``, ``follow(_:onEvent:onInterruption:)``,
/// ``download(_:to:limit:onInterruption:)``, ``cancel(_:onInterruption:)``. Broken connections are taken up where they
/// broke.
public final class BuildClient: Sendable {
    let address: ServerAddress
    let schedule: RetrySchedule
    private let clock: any Clock<Duration>
    private let http: HTTPClient

    /// Runs `body` with a client for the server at `address`; its connections are closed when `body` is done.
    ///
    /// Silence of `silenceLimit` on a connection counts as a broken one. Servers send a comment every 15 seconds, so
    /// that it never happens to a living one.
    public static func with<Result>(
        _ address: ServerAddress, schedule: RetrySchedule = RetrySchedule(), silenceLimit: Duration = .seconds(60),
        clock: any Clock<Duration> = ContinuousClock(),
        _ body: (BuildClient) async throws -> Result
    ) async throws -> Result {
        let client = BuildClient(address, schedule: schedule, silenceLimit: silenceLimit, clock: clock)
        do {
            let result = try await body(client)
            try? await client.http.shutdown()
            return result
        } catch {
            try? await client.http.shutdown()
            throw error
        }
    }

    private init(
        _ address: ServerAddress, schedule: RetrySchedule, silenceLimit: Duration, clock: any Clock<Duration>
    ) {
        self.address = address
        self.schedule = schedule
        self.clock = clock
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: TimeAmount(silenceLimit)))
        configuration.connectionPool.retryConnectionEstablishment = false
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends `request` and returns the answer's head; its body is still to be read. Throws unless the status is one of
    /// `expected`.
    func send(_ request: HTTPClientRequest, expecting expected: Set<UInt>) async throws(BuildClientError)
        -> HTTPClientResponse
    {
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: .hours(24 * 7))
        } catch {
            throw broken(error)
        }
        guard expected.contains(response.status.code) else { throw await refusal(response) }
        return response
    }

    func request(_ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.url(path))
        request.headers.add(name: "User-Agent", value: "cupel")
        return request
    }

    /// Waits before another attempt at what failed with `error`; throws it where there have been enough.
    func pause(
        after error: BuildClientError, _ schedule: inout RetrySchedule, _ report: (Interruption) -> Void
    ) async throws(BuildClientError) {
        guard error.isTransient, let delay = schedule.delay(retryAfter: error.retryAfter) else { throw error }
        report(Interruption(reason: error.message, delay: delay))
        do {
            try await clock.sleep(for: delay)
        } catch {
            throw BuildClientError(.cancelled, "cancelled")
        }
    }
}
