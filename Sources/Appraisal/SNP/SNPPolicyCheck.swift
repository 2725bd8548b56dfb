// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Step 4 for SEV-SNP: whether a genuine report is what the verifier wants.
struct SNPPolicyCheck {
    let report: SNPReport
    let product: SNPProduct
    let policy: SNPPolicy

    func findings() -> [Finding] {
        guestFindings() + orderFindings() + minimumFindings() + authorFindings()
    }

    private func guestFindings() -> [Finding] {
        var findings: [Finding] = []
        if report.policy.allowsDebug, !policy.acceptDebugGuestsUnsafely {
            findings.append(
                Finding(
                    .snpDebug, subject: "POLICY.DEBUG", expected: "0",
                    found: "1: the host can read and write the guest",
                    remedy: "launch the guest without debugging"))
        }
        if report.policy.allowsMigrationAgent, !policy.acceptMigrationAgents {
            findings.append(
                Finding(
                    .snpMigration, subject: "POLICY.MIGRATE_MA", expected: "0",
                    found: "1: a migration agent can read the guest",
                    remedy: "launch the guest without one, or accept migration agents in the policy"))
        }
        if report.vmpl > min(policy.maximumVMPL, 3) {
            findings.append(
                Finding(
                    .snpVMPL, subject: "VMPL", expected: "at most \(min(policy.maximumVMPL, 3))",
                    found: "\(report.vmpl)", remedy: "ask for the report from a more privileged level of the guest"))
        }
        return findings
    }

    /// What runs is at least what was committed, and that at least what keys are derived from.
    private func orderFindings() -> [Finding] {
        let versions = [
            ("CURRENT_TCB", report.currentTCB.parts(of: product)),
            ("COMMITTED_TCB", report.committedTCB.parts(of: product)),
            ("REPORTED_TCB", report.reportedTCB.parts(of: product)),
        ]
        return zip(versions, versions.dropFirst()).flatMap { higher, lower in
            below(higher.1, least: lower.1).map { name, found, least in
                Finding(
                    .snpTCBOrder, subject: "\(higher.0).\(name)", expected: "at least \(lower.0), \(least)",
                    found: "\(found)", remedy: "do not trust the evidence: no firmware reports this")
            }
        }
    }

    private func minimumFindings() -> [Finding] {
        guard let minimum = policy.minimumTCB[product] else { return [] }
        return below(report.reportedTCB.parts(of: product), least: minimum).map { name, found, least in
            Finding(
                .snpTCBMinimum, subject: "REPORTED_TCB.\(name)", expected: "at least \(least)", found: "\(found)",
                remedy: "update the host's firmware, or lower the least TCB of \(product.rawValue) in the policy")
        }
    }

    private func authorFindings() -> [Finding] {
        guard let wanted = policy.authorKeyDigest else { return [] }
        guard report.flags.authorKeyEnabled, report.authorKeyDigest == wanted else {
            return [
                Finding(
                    .snpAuthorKey, subject: "AUTHOR_KEY_DIGEST", expected: Hex.encode(wanted),
                    found: report.flags.authorKeyEnabled ? Hex.encode(report.authorKeyDigest) : "no author key",
                    remedy: "launch the guest with an id block of the author that the policy names")
            ]
        }
        return []
    }

    private func below(
        _ found: SNPTCBParts, least: SNPTCBParts
    ) -> [(name: String, found: UInt8, least: UInt8)] {
        let wanted = Dictionary(uniqueKeysWithValues: least.named.map { ($0.name, $0.value) })
        return found.named.compactMap { name, value in
            guard let least = wanted[name], value < least else { return nil }
            return (name, value, least)
        }
    }
}

extension Finding.Code {
    /// The guest's policy lets the host read and write it.
    public static let snpDebug = Self(rawValue: "snp.policy.debug")
    /// The guest's policy lets a migration agent read it.
    public static let snpMigration = Self(rawValue: "snp.policy.migration")
    /// The report was asked for at a level that the policy does not accept.
    public static let snpVMPL = Self(rawValue: "snp.vmpl")
    /// The report's TCB versions contradict each other.
    public static let snpTCBOrder = Self(rawValue: "snp.tcb.order")
    /// The firmware is older than the policy wants.
    public static let snpTCBMinimum = Self(rawValue: "snp.tcb.below-minimum")
    /// The guest was launched without the author key that the policy names.
    public static let snpAuthorKey = Self(rawValue: "snp.author-key")
}
