// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Builds
import Foundation
import Verification

enum Verdicts {
    /// What verification says of a bundle now.
    static func check(
        _ contents: BundleContents, nonce: Nonce?, acceptSoftware: Bool, seen: SeenEvents? = nil
    ) -> VerificationReport {
        var appraisal = AppraisalPolicy()
        appraisal.acceptSoftwareUnsafely = acceptSoftware
        var policy = VerificationPolicy(nonce: nonce, appraisal: appraisal, now: Clock.now)
        policy.seenEvents = seen
        return verify(contents, policy: policy)
    }
}
