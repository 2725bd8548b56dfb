// SPDX-License-Identifier: Apache-2.0
public import StrictJSON

/// One reason why something is not convincing, as data: tools read ``code``, people the rest.
public struct Finding: Hashable, Sendable {
    public let code: Code
    /// What was looked at: a field in its manual's spelling, or a file.
    public let subject: String
    public let expected: String
    public let found: String
    /// What to do about it, one sentence without a full stop.
    public let remedy: String

    package init(_ code: Code, subject: String, expected: String, found: String, remedy: String) {
        self.code = code
        self.subject = subject
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }

    public var json: JSONValue {
        [
            "code": .string(code.rawValue), "subject": .string(subject), "expected": .string(expected),
            "found": .string(found), "remedy": .string(remedy),
        ]
    }

    /// Stable, documented and never reused: the part that found it, a dot, what was found. Each file that makes
    /// findings declares its own.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
    }
}

extension Finding.Code {
    /// A file does not follow its format.
    public static let malformedEvidence = Self(rawValue: "evidence.malformed")
    /// No appraiser knows the platform.
    public static let unknownPlatform = Self(rawValue: "evidence.unknown-platform")
    /// An appraiser left a step out, which is a defect of this program.
    public static let incompleteAppraisal = Self(rawValue: "appraisal.incomplete")
}
