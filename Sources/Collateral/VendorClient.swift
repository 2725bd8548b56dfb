// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends requests to the vendors' services. Nothing is opened before the first one.
final class VendorClient: Sendable {
    /// Time for one attempt, from the name to the last byte.
    private let limit: Duration
    private let userAgent: String
    private let now: @Sendable () -> Int64
    private let http = Mutex<HTTPClient?>(nil)

    init(userAgent: String, limit: Duration, now: @escaping @Sendable () -> Int64) {
        self.userAgent = userAgent
        self.limit = limit
        self.now = now
    }

    func shutdown() async {
        let opened = http.withLock { $0 }
        try? await opened?.shutdown()
    }

    /// One attempt. Throws unless the status is 200 and the answer is complete, and not longer than ``VendorAnswer``
    /// allows. No redirect is followed: none of the services needs one.
    func get(_ resource: VendorResource) async throws(CollateralError) -> VendorAnswer {
        var request = HTTPClientRequest(url: resource.url)
        request.headers.add(name: "User-Agent", value: userAgent)
        do {
            let response = try await client.execute(request, timeout: TimeAmount(limit))
            guard response.status == .ok else { throw refusal(response, resource.url) }
            let bytes = try await response.body.collect(upTo: VendorAnswer.maximumSize)
            return VendorAnswer(
                body: resource.body(from: Array(bytes.readableBytesView)),
                issuerChain: try Self.chain(response.headers, resource))
        } catch {
            throw broken(error, resource.url)
        }
    }

    private var client: HTTPClient {
        http.withLock { opened in
            if let opened { return opened }
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .disallow,
                timeout: .init(connect: .seconds(10), read: TimeAmount(limit)))
            configuration.connectionPool.retryConnectionEstablishment = false
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            opened = client
            return client
        }
    }

    private static func chain(_ headers: HTTPHeaders, _ resource: VendorResource) throws(CollateralError) -> [UInt8] {
        guard !resource.chainHeaders.isEmpty else { return [] }
        for name in resource.chainHeaders {
            guard let value = headers.first(name: name) else { continue }
            guard let text = value.removingPercentEncoding else { break }
            return Array(text.utf8)
        }
        throw CollateralError(
            .malformedAnswer, "the answer has no \(resource.chainHeaders[0]) that could be read (\(resource.url))")
    }

    private func refusal(_ response: HTTPClientResponse, _ url: String) -> CollateralError {
        let status = response.status.code
        let words = "the service answered \(status) \(response.status.reasonPhrase) (\(url))"
        switch status {
        case 400, 404, 410: return CollateralError(.unavailable, words)
        case 300...399:
            let place = response.headers.first(name: "Location").map { " to \($0.prefix(200))" } ?? ""
            return CollateralError(
                .refused, "the service answered \(status), a redirect\(place) that is not followed (\(url))")
        case 408, 425, 429, 500...599:
            let wait = response.headers.first(name: "Retry-After").flatMap { RetryAfter.seconds($0, now: now()) }
            return CollateralError(.busy, words, retryAfter: wait)
        default: return CollateralError(.refused, words)
        }
    }

    /// An error from the HTTP client: the answer's length, the connection, or the task that waits for it.
    private func broken(_ error: any Error, _ url: String) -> CollateralError {
        if let error = error as? CollateralError { return error }
        if error is NIOTooManyBytesError {
            return CollateralError(
                .tooLarge, "the answer is longer than \(VendorAnswer.maximumSize) bytes (\(url))")
        }
        if error is CancellationError || Task.isCancelled || error as? HTTPClientError == .cancelled {
            return CollateralError(.cancelled, "cancelled")
        }
        return CollateralError(.unreachable, "\(Self.reason(for: error)) (\(url))")
    }

    private static func reason(for error: any Error) -> String {
        if let error = error as? IOError { return "no connection: \(String(cString: strerror(error.errnoCode)))" }
        return switch error as? HTTPClientError {
        case .connectTimeout, .deadlineExceeded, .readTimeout: "the service does not answer in time"
        case .remoteConnectionClosed: "the connection broke"
        case let known?: "the connection failed: \(known.shortDescription)"
        case nil: "no connection: \(String(describing: error).prefix(300))"
        }
    }
}
