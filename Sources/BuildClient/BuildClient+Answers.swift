// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import StrictJSON

extension BuildClient {
    /// Bytes of a JSON answer; longer ones are not read.
    static let answerLimit = 64 << 10

    /// An error from the HTTP client: the connection, or the task that waits for it.
    func broken(_ error: any Error) -> BuildClientError {
        if let error = error as? BuildClientError { return error }
        if error is CancellationError || Task.isCancelled || error as? HTTPClientError == .cancelled {
            return BuildClientError(.cancelled, "cancelled")
        }
        return BuildClientError(
            .unreachable, "\(reason(for: error)) (\(address))", mayHaveArrived: mayHaveArrived(error))
    }

    private func mayHaveArrived(_ error: any Error) -> Bool {
        if let error = error as? IOError { return [ECONNRESET, EPIPE, ETIMEDOUT].contains(error.errnoCode) }
        return error is HTTPParserError || error is HTTPClientError && error as? HTTPClientError != .connectTimeout
    }

    private func reason(for error: any Error) -> String {
        if let error = error as? IOError { return "no connection: \(String(cString: strerror(error.errnoCode)))" }
        return switch error as? HTTPClientError {
        case .connectTimeout: "the server does not answer"
        case .readTimeout: "the server fell silent"
        case .remoteConnectionClosed: "the connection broke"
        case .bodyLengthMismatch: "the file changed while it was sent"
        case let known?: "the connection failed: \(known.shortDescription)"
        case nil: "no connection: \(String(describing: error).prefix(300))"
        }
    }

    /// The error that an answer with an unexpected status stands for, with the server's own words where it has any.
    func refusal(_ response: HTTPClientResponse) async -> BuildClientError {
        let status = response.status.code
        let words = await errorText(response) ?? response.status.reasonPhrase
        let isTransient = status == 429 || (500...599).contains(status)
        return BuildClientError(
            isTransient ? .busy : .refused, "the server answered \(status): \(words)",
            retryAfter: response.headers.first(name: "Retry-After").flatMap { Int($0) }, status: Int(status),
            mayHaveArrived: false)
    }

    private func errorText(_ response: HTTPClientResponse) async -> String? {
        guard let json = try? await json(response) else { return nil }
        return json["error"]?.stringValue
    }

    func json(_ response: HTTPClientResponse) async throws(BuildClientError) -> JSONValue {
        let body: ByteBuffer
        do {
            body = try await response.body.collect(upTo: Self.answerLimit)
        } catch is NIOTooManyBytesError {
            throw BuildClientError(.malformedAnswer, "the server's answer is longer than \(Self.answerLimit) bytes")
        } catch {
            throw broken(error)
        }
        do {
            return try JSONValue(parsing: Array(body.readableBytesView))
        } catch {
            throw BuildClientError(.malformedAnswer, "the server's answer is no JSON: \(error)")
        }
    }
}
