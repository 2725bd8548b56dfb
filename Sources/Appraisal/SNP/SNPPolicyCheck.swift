// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Step 4 for SEV-SNP: whether a genuine report is of a guest that the verifier wants.
struct SNPPolicyCheck {
    let report: SNPReport
    let endorsement: SNPEndorsement
    let policy: SNPPolicy

    func findings() -> [Finding] {
        guestFindings() + demandFindings() + fieldFindings() + keyFindings() + chipFindings()
            + SNPFirmwareCheck(report: report, product: endorsement.product, policy: policy).findings()
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

    /// What the guest's owner demanded of the platform, which the firmware enforces.
    private func demandFindings() -> [Finding] {
        var findings: [Finding] = []
        let abi = SNPABIVersion(major: report.policy.abiMajor, minor: report.policy.abiMinor)
        if let least = policy.minimumABI, abi < least {
            findings.append(
                Finding(
                    .snpABI, subject: "POLICY.ABI_MAJOR, ABI_MINOR", expected: "at least \(least)", found: "\(abi)",
                    remedy: "launch the guest with a policy that demands this interface of the firmware"))
        }
        for requirement in SNPGuestRequirement.allCases
        where policy.guestRequirements.contains(requirement) && !requirement.isMet(by: report.policy) {
            let field = requirement.field
            findings.append(
                Finding(
                    .snpGuestRequirement, subject: field.name, expected: "\(field.wanted)",
                    found: "\(1 - field.wanted)",
                    remedy: "launch the guest with a policy that demands it of the platform"))
        }
        for requirement in SNPPlatformRequirement.allCases
        where policy.platformRequirements.contains(requirement) && !requirement.isMet(by: report.platformInfo) {
            let field = requirement.field
            findings.append(
                Finding(
                    .snpPlatformRequirement, subject: field.name, expected: "\(field.wanted)",
                    found: "\(1 - field.wanted)", remedy: "run the guest on a host that is set up so"))
        }
        return findings
    }

    private func fieldFindings() -> [Finding] {
        var findings: [Finding] = []
        if let least = policy.minimumGuestSVN, report.guestSVN < least {
            findings.append(
                Finding(
                    .snpGuestSVN, subject: "GUEST_SVN", expected: "at least \(least)", found: "\(report.guestSVN)",
                    remedy: "launch a newer image, whose id block has this security version"))
        }
        let fields: [(Finding.Code, String, wanted: [UInt8]?, found: [UInt8])] = [
            (.snpFamilyID, "FAMILY_ID", policy.familyID, report.familyID),
            (.snpImageID, "IMAGE_ID", policy.imageID, report.imageID),
            (.snpHostData, "HOST_DATA", policy.hostData, report.hostData),
            (.snpIDKey, "ID_KEY_DIGEST", policy.idKeyDigest, report.idKeyDigest),
        ]
        for (code, name, wanted, found) in fields {
            guard let wanted, wanted != found else { continue }
            findings.append(
                Finding(
                    code, subject: name, expected: Hex.encode(wanted), found: Hex.encode(found),
                    remedy: "launch the guest with what the policy names, or change the policy"))
        }
        guard let wanted = policy.authorKeyDigest else { return findings }
        if !report.flags.authorKeyEnabled || report.authorKeyDigest != wanted {
            findings.append(
                Finding(
                    .snpAuthorKey, subject: "AUTHOR_KEY_DIGEST", expected: Hex.encode(wanted),
                    found: report.flags.authorKeyEnabled ? Hex.encode(report.authorKeyDigest) : "no author key",
                    remedy: "launch the guest with an id block of the author that the policy names"))
        }
        return findings
    }

    /// Which keys may have signed.
    private func keyFindings() -> [Finding] {
        var findings: [Finding] = []
        if let wanted = policy.products, !wanted.contains(endorsement.product) {
            findings.append(
                notAccepted(
                    .snpProductNotAccepted, "product", wanted.map(\.rawValue).sorted().joined(separator: " or "),
                    endorsement.product.rawValue))
        }
        if let wanted = policy.signingKeys, !wanted.contains(endorsement.kind) {
            findings.append(
                notAccepted(
                    .snpSigningKeyNotAccepted, "SIGNING_KEY",
                    wanted.map { "\($0)" }.sorted().joined(separator: " or "), "\(endorsement.kind)"))
        }
        if let wanted = policy.providers, !wanted.contains(endorsement.provider ?? "") {
            findings.append(
                notAccepted(
                    .snpProvider, "CSP_ID", wanted.sorted().joined(separator: " or "),
                    endorsement.provider.map { "'\($0)'" } ?? "none: a VCEK is of no provider"))
        }
        return findings
    }

    private func chipFindings() -> [Finding] {
        var findings: [Finding] = []
        if let wanted = policy.chipIDs, !wanted.contains(endorsement.chipID ?? []) {
            findings.append(
                notAccepted(
                    .snpChipNotAccepted, "CHIP_ID", "one of \(wanted.count) that the policy names",
                    endorsement.chipID.map { Hex.encode($0) } ?? "none: a VLEK is of no chip"))
        }
        if endorsement.kind == .vcek, report.masksChipID, !policy.acceptMaskedChipIDs {
            findings.append(
                Finding(
                    .snpChipMasked, subject: "CHIP_ID", expected: "the id of the VCEK certificate's chip",
                    found: "zeros: the host masks it (MASK_CHIP_ID)",
                    remedy: "unmask it on the host, or accept masked ids in the policy: the VCEK still names the chip"))
        }
        return findings
    }

    private func notAccepted(_ code: Finding.Code, _ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            code, subject: subject, expected: expected.isEmpty ? "none" : expected, found: found,
            remedy: "build where the policy wants it, or accept it in the policy")
    }
}

extension SNPReport {
    /// Whether the host withholds the chip's id, which no chip has as zeros.
    var masksChipID: Bool { chipID.allSatisfy { $0 == 0 } }
}

extension Finding.Code {
    /// The guest's policy lets the host read and write it.
    public static let snpDebug = Self(rawValue: "snp.policy.debug")
    /// The guest's policy lets a migration agent read it.
    public static let snpMigration = Self(rawValue: "snp.policy.migration")
    /// The guest's policy demands an older firmware interface than the verifier's.
    public static let snpABI = Self(rawValue: "snp.policy.abi")
    /// The guest's policy does not demand what the verifier requires.
    public static let snpGuestRequirement = Self(rawValue: "snp.policy.requirement")
    /// The platform is not set up as the verifier requires.
    public static let snpPlatformRequirement = Self(rawValue: "snp.platform.requirement")
    /// The report was asked for at a level that the policy does not accept.
    public static let snpVMPL = Self(rawValue: "snp.vmpl")
    /// The guest's security version is lower than the policy wants.
    public static let snpGuestSVN = Self(rawValue: "snp.guest-svn")
    /// The guest's family is another one than the policy names.
    public static let snpFamilyID = Self(rawValue: "snp.family-id")
    /// The guest's image id is another one than the policy names.
    public static let snpImageID = Self(rawValue: "snp.image-id")
    /// The host gave the guest other data than the policy names.
    public static let snpHostData = Self(rawValue: "snp.host-data")
    /// The guest was launched with another id key than the policy names, or without one.
    public static let snpIDKey = Self(rawValue: "snp.id-key")
    /// The guest was launched without the author key that the policy names.
    public static let snpAuthorKey = Self(rawValue: "snp.author-key")
    /// The policy does not accept the processor's product line.
    public static let snpProductNotAccepted = Self(rawValue: "snp.product.not-accepted")
    /// The policy does not accept this kind of signing key.
    public static let snpSigningKeyNotAccepted = Self(rawValue: "snp.signing-key.not-accepted")
    /// The policy does not accept the cloud provider whose VLEK signed.
    public static let snpProvider = Self(rawValue: "snp.provider.not-accepted")
    /// The policy does not accept this chip.
    public static let snpChipNotAccepted = Self(rawValue: "snp.chip-id.not-accepted")
    /// The host masks the chip's id.
    public static let snpChipMasked = Self(rawValue: "snp.chip-id.masked")
}
