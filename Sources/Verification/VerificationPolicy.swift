// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import Builds

/// What a verifier wants of a bundle.
public struct VerificationPolicy: Hashable, Sendable {
    /// The nonce that was sent with the build. Freshness is not checked if `nil`, and the report says so.
    public var nonce: Nonce?
    public var appraisal: AppraisalPolicy
    /// Seconds since 1970 at which dates are judged; if `nil`, no evidence that has dates is accepted.
    public var now: Int64?

    public init(nonce: Nonce? = nil, appraisal: AppraisalPolicy = AppraisalPolicy(), now: Int64? = nil) {
        self.nonce = nonce
        self.appraisal = appraisal
        self.now = now
    }
}
