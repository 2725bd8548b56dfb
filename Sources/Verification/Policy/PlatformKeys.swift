// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

/// The keys of a policy file that concern one platform each.
struct PlatformKeys {
    /// Of `tpm`: certificates, or the names of files that hold them.
    static let authorities = "certificateAuthorities"

    private let members: PolicyMembers

    init(_ members: PolicyMembers) { self.members = members }

    func apply(to policy: inout AppraisalPolicy, files: [String: [UInt8]]?) throws(PolicyError) {
        if let section = try members.inner("snp", known: SNPKeys.known) { policy.snp = try SNPKeys.policy(section) }
        if let section = try members.inner("tdx", known: TDXKeys.known) { policy.tdx = try TDXKeys.policy(section) }
        guard members["tpm"] == nil else { throw members.refusal("tpm", "not read yet") }
    }
}
