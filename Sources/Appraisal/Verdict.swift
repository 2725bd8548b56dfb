// SPDX-License-Identifier: Apache-2.0
public import Evidence

/// What an appraisal comes to.
public enum Verdict: Hashable, Sendable {
    case accepted(AppraisedEvidence)
    /// Never without a reason.
    case rejected(Finding, [Finding])
    /// Neither accepted nor refused: nothing is known.
    case cannotCheck(Finding)
}

/// Evidence that a policy accepted. Only appraisers make it.
public struct AppraisedEvidence: Hashable, Sendable {
    public let platform: String
    /// What the platform signed for whoever asked.
    public let binding: SignedBinding
    /// What follows from the evidence, sentences without full stops.
    public let proves: [String]
    /// What a reader might think to follow, and does not.
    public let doesNotProve: [String]

    init(platform: String, binding: SignedBinding, proves: [String], doesNotProve: [String]) {
        self.platform = platform
        self.binding = binding
        self.proves = proves
        self.doesNotProve = doesNotProve
    }
}

/// The bytes that a platform signed for its caller: a digest (32 bytes), a nonce, and zeros where the platform's field
/// is longer. TPM quotes carry it without zeros.
public struct SignedBinding: Hashable, Sendable {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }
    public init(_ reportData: ReportData) { bytes = reportData.bytes }

    /// The first 32 bytes; fewer where the platform signed fewer.
    public var digest: [UInt8] { Array(bytes.prefix(32)) }

    /// Whether the digest is followed by `nonce` and nothing but zeros: zeros at a nonce's end cannot be told from
    /// those that fill the field.
    public func carries(nonce: [UInt8]) -> Bool {
        let rest = bytes.dropFirst(32)
        return rest.count >= nonce.count && rest.starts(with: nonce)
            && rest.dropFirst(nonce.count).allSatisfy { $0 == 0 }
    }

    /// What stands after the digest, without zeros at its end.
    public var nonceField: [UInt8] {
        let rest = bytes.dropFirst(32)
        return Array(rest.dropLast(rest.reversed().prefix { $0 == 0 }.count))
    }
}
