// SPDX-License-Identifier: Apache-2.0

/// Why a request to a build server came to nothing.
public struct BuildClientError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The server's address is no `http` or `https` URL.
        case invalidAddress
        /// No connection, or one that broke. Another attempt may succeed.
        case unreachable
        /// The server is full, draining, or failed for now (`429`, `5xx`). Another attempt may succeed.
        case busy
        /// The server answered, and its answer is no.
        case refused
        /// The answer does not follow the API.
        case malformedAnswer
        /// The answer exceeds what the caller allows.
        case tooLarge
        /// A file of this machine could not be read or written.
        case file
        /// The task was cancelled.
        case cancelled
        /// The caller wants no more of it.
        case stopped
    }

    public let code: Code
    /// One sentence, lower case, no full stop: what was done, what came back.
    public let message: String
    /// Seconds after which the server wants to be asked again (`Retry-After`).
    public let retryAfter: Int?
    /// The status of the server's answer, where that is what this is about.
    public let status: Int?
    /// Whether a connection broke that the server may have got the request by.
    let mayHaveArrived: Bool

    /// An error without `Retry-After` unless one is given.
    public init(_ code: Code, _ message: String, retryAfter: Int? = nil) {
        self.init(code, message, retryAfter: retryAfter, mayHaveArrived: false)
    }

    init(_ code: Code, _ message: String, retryAfter: Int? = nil, status: Int? = nil, mayHaveArrived: Bool) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.status = status
        self.mayHaveArrived = mayHaveArrived
    }

    public var description: String { message }

    /// Whether the same request may succeed a moment later.
    public var isTransient: Bool { code == .unreachable || code == .busy }
}
