// SPDX-License-Identifier: Apache-2.0

/// Why this machine cannot build as its settings say.
public struct BuilderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence, lower case, no full stop.
    public let message: String
    /// What an operator of `cupel` does about it.
    public let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    public var description: String { message }
}
