// SPDX-License-Identifier: Apache-2.0

/// Why a machine that builds once cannot begin: what was expected, and what was found.
public struct GuestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence, lower case, no full stop: a line of the machine's console.
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}
