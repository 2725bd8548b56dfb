// SPDX-License-Identifier: Apache-2.0

/// Collateral could not be had.
public struct CollateralError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// An address is no URL that collateral could be fetched from.
        case invalidAddress
        /// It is not at hand, and no connection may be opened.
        case offline
        /// The vendor does not have it, or hands it to others only.
        case unavailable
        /// No connection, or one that broke; the service may answer a moment later.
        case unreachable
        /// The service is overloaded or out of order.
        case busy
        /// The service refused.
        case refused
        /// The answer is not what was asked for.
        case malformedAnswer
        /// The answer exceeds what is read.
        case tooLarge
        /// A file of the cache could not be written.
        case file
        /// The task was cancelled.
        case cancelled
    }

    public let code: Code
    /// One sentence, lower case, no full stop: what was wanted from where, what came.
    public let message: String
    /// Seconds after which the service wants to be asked again (`Retry-After`).
    public let retryAfter: Int64?

    /// An error without `Retry-After` unless one is given.
    public init(_ code: Code, _ message: String, retryAfter: Int64? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    public var description: String { message }

    /// Whether the same request may succeed a moment later.
    public var isTransient: Bool { code == .unreachable || code == .busy }
}
