// SPDX-License-Identifier: Apache-2.0

/// Why nothing can be said about what hardware will report: files that are well-formed, and do not go together, or do
/// what cannot be computed.
public struct MeasurementError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One sentence, lower case, no full stop.
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
