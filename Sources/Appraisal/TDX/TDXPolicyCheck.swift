// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Step 4 for TDX: whether a genuine trust domain is what the verifier wants.
struct TDXPolicyCheck {
    let quote: IntelQuote
    let report: TDReport
    let policy: TDXPolicy

    /// What the quote alone decides.
    func findings() -> [Finding] {
        attributeFindings() + serviceFindings() + versionFindings() + registerFindings()
    }

    /// What Intel's judgement decides.
    func findings(_ appraisal: TCBAppraisal, _ collateral: VerifiedIntelCollateral) -> [Finding] {
        appraisal.findings + statusFindings(appraisal) + numberFindings(collateral)
    }

    private func statusFindings(_ appraisal: TCBAppraisal) -> [Finding] {
        var findings: [Finding] = []
        if let status = appraisal.status, status == .revoked || !policy.acceptedTCBStatuses.contains(status) {
            let accepted = policy.acceptedTCBStatuses.subtracting([.revoked]).map(\.rawValue).sorted()
            let reasons = appraisal.advisories.isEmpty ? "" : ": \(appraisal.advisories.joined(separator: ", "))"
            findings.append(
                finding(
                    .tdxTCBStatus, "TCB status", accepted.joined(separator: " or "), status.rawValue + reasons,
                    status == .revoked
                        ? "do not trust the platform: Intel took its TCB back"
                        : "update the host's firmware and the TDX module, or accept the status in the policy"))
        }
        if let accepted = policy.acceptedAdvisories {
            let others = appraisal.advisories.filter { !accepted.contains($0) }
            if !others.isEmpty {
                findings.append(
                    finding(
                        .tdxAdvisories, "advisories", "none but those that the policy accepts",
                        others.joined(separator: ", "),
                        "update the host's firmware, or accept the advisories in the policy"))
            }
        }
        return findings
    }

    private func numberFindings(_ collateral: VerifiedIntelCollateral) -> [Finding] {
        let found = min(collateral.tcbInfo.evaluationDataNumber, collateral.qeIdentity.evaluationDataNumber)
        guard let least = policy.minimumTCBEvaluationDataNumber, found < least else { return [] }
        return [
            finding(
                .tdxEvaluationNumber, "tcbEvaluationDataNumber", "at least \(least)", "\(found)",
                "fetch newer collateral")
        ]
    }

    private func attributeFindings() -> [Finding] {
        let attributes = report.attributes
        var findings: [Finding] = []
        func refuse(_ code: Finding.Code, _ name: String, _ expected: String, _ found: String, _ remedy: String) {
            findings.append(finding(code, "TDATTRIBUTES.\(name)", expected, found, remedy))
        }
        if !attributes.isDisjoint(with: .underDebug), !policy.acceptDebugGuestsUnsafely {
            refuse(
                .tdxDebug, "TUD", "0", "\(attributes.rawValue & 0xFF): the host can look into the TD",
                "launch the TD without debugging")
        }
        if !attributes.isSubset(of: .known), !policy.acceptReservedAttributesUnsafely {
            refuse(
                .tdxReservedAttributes, "reserved", "0",
                "0x" + String(attributes.subtracting(.known).rawValue, radix: 16),
                "use a newer version of cupel, which may know these bits")
        }
        if !attributes.contains(.septVEDisable), policy.requireSEPTVEDisable {
            refuse(
                .tdxSEPTVEDisable, "SEPT_VE_DISABLE", "1", "0: the host can inject exceptions",
                "launch the TD with it, or accept TDs without in the policy")
        }
        if attributes.contains(.migratable), !policy.acceptMigratable {
            refuse(
                .tdxMigratable, "MIGRATABLE", "0", "1: the TD can be moved to another machine",
                "launch the TD without it, or accept it in the policy")
        }
        let optional: [(String, TDAttributes, Bool)] = [
            ("PERFMON", .perfmon, policy.acceptPerformanceCounters), ("PKS", .pks, policy.acceptSupervisorKeys),
            ("KL", .keyLocker, policy.acceptKeyLocker),
        ]
        for (name, attribute, isAccepted) in optional where attributes.contains(attribute) && !isAccepted {
            refuse(.tdxAttribute, name, "0", "1", "launch the TD without it, or accept it in the policy")
        }
        return findings
    }

    private func serviceFindings() -> [Finding] {
        guard let service = report.extended?.mrServiceTD, !service.allSatisfy({ $0 == 0 }),
            !policy.acceptAnyServiceTDUnsafely, !policy.acceptedServiceTDs.contains(service)
        else { return [] }
        return [
            finding(
                .tdxServiceTD, "MRSERVICETD", "zero, or a service TD that the policy names", Hex.encode(service),
                "launch the TD without service TDs, or name this one in the policy")
        ]
    }

    private func versionFindings() -> [Finding] {
        var findings: [Finding] = []
        if let least = policy.minimumTEETCBSVN,
            least.count != 16 || zip(report.teeTCBSVN, least).contains(where: { $0 < $1 })
        {
            findings.append(
                finding(
                    .tdxTEETCBSVN, "TEE_TCB_SVN", "each byte at least that of \(Hex.encode(least))",
                    Hex.encode(report.teeTCBSVN), "update the host's TDX module, or lower the minimum in the policy"))
        }
        if let accepted = policy.acceptedMRSEAMs, !accepted.contains(report.mrSeam) {
            findings.append(
                finding(
                    .tdxMRSEAM, "MRSEAM", "one of the \(accepted.count) that the policy names",
                    Hex.encode(report.mrSeam), "run a TDX module that the policy names, or name this one"))
        }
        if let vendor = policy.qeVendorID, quote.qeVendorID != vendor {
            findings.append(
                finding(
                    .tdxQEVendor, "QE vendor id", Hex.encode(vendor), Hex.encode(quote.qeVendorID),
                    "ask for a quote by a quoting enclave of this vendor's"))
        }
        return findings
    }

    private func registerFindings() -> [Finding] {
        let wanted =
            [
                ("MRCONFIGID", policy.mrConfigID, report.mrConfigID), ("MROWNER", policy.mrOwner, report.mrOwner),
                ("MROWNERCONFIG", policy.mrOwnerConfig, report.mrOwnerConfig),
            ]
            + policy.rtmrs.sorted { $0.key < $1.key }.map { number, value in
                ("RTMR\(number)", value, report.rtmrs.indices.contains(number) ? report.rtmrs[number] : [])
            }
        return wanted.compactMap { name, expected, found in
            guard let expected, expected != found else { return nil }
            return finding(
                .tdxRegister, name, Hex.encode(expected), found.isEmpty ? "no such register" : Hex.encode(found),
                "launch the TD as the policy wants it")
        }
    }

    private func finding(
        _ code: Finding.Code, _ subject: String, _ expected: String, _ found: String, _ remedy: String
    ) -> Finding {
        Finding(code, subject: subject, expected: expected, found: found, remedy: remedy)
    }
}

extension TDAttributes {
    /// LASS: linear address space separation, which protects the TD's own kernel.
    static let lass = Self(rawValue: 1 << 27)

    static let known: Self = [underDebug, lass, septVEDisable, migratable, pks, keyLocker, perfmon]
}

extension Finding.Code {
    /// The policy does not accept what Intel says of the platform's TCB.
    public static let tdxTCBStatus = Self(rawValue: "tdx.tcb.status")
    /// An advisory applies that the policy does not accept.
    public static let tdxAdvisories = Self(rawValue: "tdx.tcb.advisories")
    /// The collateral is older than the policy wants.
    public static let tdxEvaluationNumber = Self(rawValue: "tdx.tcb.evaluation-number")
    /// The host can look into the TD.
    public static let tdxDebug = Self(rawValue: "tdx.attributes.debug")
    /// The TD has attributes that are not known.
    public static let tdxReservedAttributes = Self(rawValue: "tdx.attributes.reserved")
    /// The host can inject exceptions into the TD.
    public static let tdxSEPTVEDisable = Self(rawValue: "tdx.attributes.sept-ve-disable")
    /// The TD can be moved to another machine.
    public static let tdxMigratable = Self(rawValue: "tdx.attributes.migratable")
    /// The TD has an attribute that the policy does not accept.
    public static let tdxAttribute = Self(rawValue: "tdx.attributes.not-accepted")
    /// A service TD is bound to the TD.
    public static let tdxServiceTD = Self(rawValue: "tdx.service-td")
    /// The TDX module is older than the policy wants.
    public static let tdxTEETCBSVN = Self(rawValue: "tdx.tee-tcb-svn")
    /// The TDX module is none that the policy names.
    public static let tdxMRSEAM = Self(rawValue: "tdx.mrseam")
    /// The quoting enclave is of another vendor than the policy wants.
    public static let tdxQEVendor = Self(rawValue: "tdx.qe.vendor")
    /// A register that the policy names holds something else.
    public static let tdxRegister = Self(rawValue: "tdx.register")
}
