// SPDX-License-Identifier: Apache-2.0

/// Collateral could not be had.
public struct CollateralError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence.
    public let message: String

    package init(_ message: String) { self.message = message }

    public var description: String { message }
}
