// SPDX-License-Identifier: Apache-2.0
import Builds
package import HTTPTypes
import StrictJSON

/// A request that is not served. This file is the only place that chooses HTTP statuses for errors.
package struct Refusal: Error, Hashable, Sendable {
    package let status: HTTPResponse.Status
    /// One sentence: what is wrong and what to do. No full stop.
    package let message: String
    /// Further headers: `Retry-After`, `Allow`, `Content-Range`.
    package var headers: HTTPFields = [:]

    /// The API's `error_type`.
    package var errorType: String {
        switch status.code {
        case 503: "UnavailableError"
        case 500...: BuildFailure.Kind.internal.rawValue
        default: "InvalidRequestError"
        }
    }

    /// The answer's body.
    package var json: [UInt8] {
        Array("{\"status\":\"failed\",\"error\":".utf8) + JSONValue.literal(message)
            + Array(",\"error_type\":\"\(errorType)\"}".utf8)
    }
}

extension Refusal {
    static func malformed(_ message: String) -> Refusal { Refusal(status: .badRequest, message: message) }

    static func invalid(_ request: InvalidRequest) -> Refusal { malformed(request.message) }

    /// The same for a path that does not exist, a job that never was, and one without a result.
    package static let notFound = Refusal(
        status: .notFound, message: "there is nothing here; check the path and the job id, and that the build is over")

    package static func methodNotAllowed(_ allowed: [String]) -> Refusal {
        let methods = allowed.joined(separator: ", ")
        return Refusal(
            status: .methodNotAllowed, message: "this path takes \(methods)", headers: [.allow: methods])
    }

    static let alreadyOver = Refusal(
        status: .conflict, message: "the build is over and was not cancelled; its last event says how it ended")

    static let unsettled = Refusal(
        status: .serviceUnavailable,
        message: "the build is neither waiting, running nor over now; try again in a second",
        headers: [.retryAfter: "1"])

    static func tooLarge(limit: Int64) -> Refusal {
        Refusal(
            status: .contentTooLarge,
            message: "the archive is larger than \(limit) bytes, the limit of this server (limits.upload_size)")
    }

    static let tooSlow = Refusal(
        status: .requestTimeout,
        message: "the upload is slower than \(Submission.slowestRate) bytes a second; its place in line went to others")

    static func unsupportedType(_ type: String?) -> Refusal {
        let found = type.map { "not '\($0.prefix(100))'" } ?? "and the request names none"
        return Refusal(
            status: .unsupportedMediaType,
            message: "the content type must be application/json, multipart/form-data, application/zip or "
                + "application/gzip, \(found)")
    }

    static func unsupportedEncoding(_ coding: String) -> Refusal {
        Refusal(
            status: .unsupportedMediaType,
            message: "the content encoding '\(coding.prefix(100))' is not taken; send the body as it is")
    }

    static let notHTTP = malformed(
        "the request is not well-formed HTTP/1.1; use a client, and a proxy, that keep to RFC 9112")

    static let notOneHost = malformed("the request needs one Host header, with a name and perhaps a port and no more")

    static let notChunked = malformed(
        "the transfer coding must be chunked and nothing else, in HTTP/1.1; send the body with a length, or in chunks")

    static let headersTooLarge = Refusal(
        status: .requestHeaderFieldsTooLarge,
        message: "the headers are longer than \(BuildService.maximumHeaderSize) bytes or more than "
            + "\(BuildService.maximumHeaderCount); send fewer")

    static let keyTaken = Refusal(
        status: .conflict,
        message:
            "the Idempotency-Key belongs to another submission; send a new key with a new request, and the same nonce, "
            + "source and key to send a request again")

    package static let takenAlready = Refusal(
        status: .conflict,
        message: "this machine builds once and has taken its build; submit to another")

    static let draining = Refusal(
        status: .serviceUnavailable, message: "the service is stopping and takes no new jobs; try again in a minute",
        headers: [.retryAfter: "60"])

    static func queueFull(waiting: Int) -> Refusal {
        Refusal(
            status: .serviceUnavailable,
            message: "\(waiting) jobs are waiting and the queue is full; try again in a minute",
            headers: [.retryAfter: "60"])
    }

    static func tooManyJobs(limit: Int) -> Refusal {
        tooMany(
            "\(limit) jobs from your address wait or run, as many as may (client.jobs); wait for one to end, or cancel one",
            seconds: 30)
    }

    static func tooManySubmissions(limit: Int, seconds: Int) -> Refusal {
        tooMany(
            "your address has submitted \(limit) times in a minute, as often as it may (client.submissions); "
                + "try again in \(seconds) seconds", seconds: seconds)
    }

    static func tooManyReaders(limit: Int) -> Refusal {
        tooMany(
            "your address has \(limit) streams and downloads open, as many as may be (client.readers); close one",
            seconds: 10)
    }

    private static func tooMany(_ message: String, seconds: Int) -> Refusal {
        Refusal(status: .tooManyRequests, message: message, headers: [.retryAfter: "\(seconds)"])
    }

    static let storageFull = Refusal(
        status: .serviceUnavailable, message: "the service cannot keep the job at the moment; try again in a minute",
        headers: [.retryAfter: "60"])

    static let resultUnreadable = Refusal(
        status: .serviceUnavailable, message: "the service cannot read the result at the moment; try again in a minute",
        headers: [.retryAfter: "60"])

    static func rangeNotSatisfiable(size: Int64) -> Refusal {
        Refusal(
            status: .rangeNotSatisfiable, message: "the range lies outside the result's \(size) bytes",
            headers: [.contentRange: "bytes */\(size)"])
    }

    /// Never a 404: there was such a job.
    static let damaged = Refusal(
        status: .internalServerError,
        message:
            "what this service keeps of this build is damaged and was set aside; submit the build again, or ask the "
            + "operator, whose log says more")

    static let `internal` = Refusal(
        status: .internalServerError, message: "the service failed; its log says more")

    init(_ refusal: BuildQueue.Refusal) {
        switch refusal {
        case .draining: self = .draining
        case .full(let waiting): self = .queueFull(waiting: waiting)
        }
    }
}
