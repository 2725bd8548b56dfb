// SPDX-License-Identifier: Apache-2.0

/// Evidence could not be had.
public struct AttesterError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// This machine has no such thing.
        case absent
        /// It is there, and this user may not ask it, or something that asking needs is missing.
        case denied
        /// Someone else asked at the same time, more often than was tried.
        case conflict
        /// What was asked for, or what was answered, cannot be.
        case invalid
        /// It was asked, and did not answer.
        case failed
    }

    public let code: Code
    /// One sentence, lower case, no full stop.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
