// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

/// The keys of a policy file that concern one platform each.
struct PlatformKeys {
    private let members: PolicyMembers

    init(_ members: PolicyMembers) { self.members = members }

    /// - Parameter files: the contents of the files that are named; `nil` where they are not at hand yet.
    func apply(to policy: inout AppraisalPolicy, files: [String: [UInt8]]?) throws(PolicyError) {
        if let section = try members.inner("snp", known: SNPKeys.known) { policy.snp = try SNPKeys.policy(section) }
        if let section = try members.inner("tdx", known: TDXKeys.known) { policy.tdx = try TDXKeys.policy(section) }
        if let section = try members.inner("tpm", known: TPMKeys.known) {
            policy.tpm = try TPMKeys.policy(section, files: files)
        }
    }
}
