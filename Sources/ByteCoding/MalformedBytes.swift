// SPDX-License-Identifier: Apache-2.0

/// Input that does not follow its format. It names the format, the field and the place, so that the sentence can be
/// shown to whoever made the input.
public struct MalformedBytes: Error, Equatable, Sendable, CustomStringConvertible {
    /// The format being read, in its specification's words: "SNP report", "JSON".
    public let format: String
    /// The field being read, in its specification's spelling; empty where the fault lies between fields.
    public let field: String
    /// Bytes from the start of the input.
    public let offset: Int
    /// What was expected and what was found.
    public let reason: String

    public init(format: String, field: String = "", offset: Int, reason: String) {
        self.format = format
        self.field = field
        self.offset = offset
        self.reason = reason
    }

    public var description: String {
        let place = field.isEmpty ? "" : " \(field)"
        return "\(format)\(place) at byte \(offset): \(reason)"
    }
}
