// SPDX-License-Identifier: Apache-2.0
internal import Evidence

/// Whether the firmware beneath a guest is one that the verifier wants: the part of step 4 that is about versions.
struct SNPFirmwareCheck {
    let report: SNPReport
    let product: SNPProduct
    let policy: SNPPolicy

    func findings() -> [Finding] {
        reservedFindings() + orderFindings() + committedFindings() + minimumFindings() + mitigationFindings()
    }

    /// Bytes of a version that this product has no part for: a newer firmware may give them a meaning, and then the
    /// other parts do not say everything.
    private func reservedFindings() -> [Finding] {
        versions.filter { !$0.tcb.reservedBytesAreZero(on: product) }.map { name, tcb in
            Finding(
                .snpTCBReserved, subject: name, expected: "zeros where \(product.rawValue) has no part",
                found: "\(tcb.bytes)", remedy: "use a newer version of cupel, which may know the part")
        }
    }

    /// What runs is at least what was committed, and that at least what keys are derived from. LAUNCH_TCB has no place
    /// in this order: firmware that was not committed may have been rolled back since.
    private func orderFindings() -> [Finding] {
        var findings = zip(versions, versions.dropFirst()).prefix(2).flatMap { higher, lower in
            below(higher.tcb.parts(of: product), least: lower.tcb.parts(of: product)).map { name, found, least in
                Finding(
                    .snpTCBOrder, subject: "\(higher.name).\(name)", expected: "at least \(lower.name), \(least)",
                    found: found, remedy: "do not trust the evidence: no firmware reports this")
            }
        }
        if report.currentFirmware < report.committedFirmware {
            findings.append(
                Finding(
                    .snpTCBOrder, subject: "CURRENT_MAJOR, MINOR, BUILD",
                    expected: "at least the committed version, \(report.committedFirmware)",
                    found: "\(report.currentFirmware)", remedy: "do not trust the evidence: no firmware reports this"))
        }
        return findings
    }

    private func committedFindings() -> [Finding] {
        guard policy.requireCommittedFirmware,
            report.currentTCB != report.committedTCB || report.currentFirmware != report.committedFirmware
        else { return [] }
        return [
            Finding(
                .snpProvisional, subject: "COMMITTED_TCB",
                expected: "CURRENT_TCB, \(report.currentTCB.parts(of: product).text), of \(report.currentFirmware)",
                found: "\(report.committedTCB.parts(of: product).text), of \(report.committedFirmware)",
                remedy: "commit the host's firmware (SNP_COMMIT), or accept in the policy what can be rolled back")
        ]
    }

    private func minimumFindings() -> [Finding] {
        let remedy = "update the host's firmware, or lower the least version in the policy"
        var findings: [Finding] = []
        for (code, name, tcb, minima) in [
            (Finding.Code.snpTCBMinimum, "REPORTED_TCB", report.reportedTCB, policy.minimumTCB),
            (.snpLaunchTCBMinimum, "LAUNCH_TCB", report.launchTCB, policy.minimumLaunchTCB),
        ] where !minima.isEmpty {
            guard let minimum = minima[product] else {
                findings.append(
                    Finding(
                        code, subject: name,
                        expected: "a product of "
                            + minima.keys.map(\.rawValue).sorted().joined(separator: ", ") + ", as the policy names",
                        found: product.rawValue, remedy: "name a least TCB of \(product.rawValue) in the policy"))
                continue
            }
            findings += below(tcb.parts(of: product), least: minimum).map { part, found, least in
                Finding(
                    code, subject: "\(name).\(part)", expected: "at least \(least)", found: found, remedy: remedy)
            }
        }
        if let least = policy.minimumFirmware, report.currentFirmware < least {
            findings.append(
                Finding(
                    .snpFirmwareMinimum, subject: "CURRENT_MAJOR, MINOR, BUILD", expected: "at least \(least)",
                    found: "\(report.currentFirmware)", remedy: remedy))
        }
        return findings
    }

    private func mitigationFindings() -> [Finding] {
        let vectors = [
            ("LAUNCH_MIT_VECTOR", policy.requiredLaunchMitigations, report.mitigations?.launch),
            ("CURRENT_MIT_VECTOR", policy.requiredMitigations, report.mitigations?.current),
        ]
        return vectors.compactMap { name, required, found in
            guard let required, found.map({ required & ~$0 != 0 }) ?? true else { return nil }
            return Finding(
                .snpMitigations, subject: name, expected: "the bits 0x\(String(required, radix: 16))",
                found: found.map { "0x\(String($0, radix: 16))" } ?? "none, in a report of version \(report.version)",
                remedy: "update the host's firmware, or require fewer mitigations in the policy")
        }
    }

    /// Highest first, as far as they have an order.
    private var versions: [(name: String, tcb: SNPTCBVersion)] {
        [
            ("CURRENT_TCB", report.currentTCB), ("COMMITTED_TCB", report.committedTCB),
            ("REPORTED_TCB", report.reportedTCB), ("LAUNCH_TCB", report.launchTCB),
        ]
    }

    /// The parts that are lower than they must be, or missing.
    private func below(_ found: SNPTCBParts, least: SNPTCBParts) -> [(name: String, found: String, least: UInt8)] {
        let present = Dictionary(uniqueKeysWithValues: found.named.map { ($0.name, $0.value) })
        return least.named.compactMap { name, least in
            guard let value = present[name] else { return (name, "none", least) }
            return value < least ? (name, "\(value)", least) : nil
        }
    }
}

extension SNPTCBVersion {
    func reservedBytesAreZero(on product: SNPProduct) -> Bool {
        (product == .turin ? 4...6 : 2...5).allSatisfy { bytes[$0] == 0 }
    }
}

extension SNPTCBParts {
    /// For people: "bootloader 4, tee 0, snp 24, microcode 219".
    var text: String { named.map { "\($0.name) \($0.value)" }.joined(separator: ", ") }
}

extension Finding.Code {
    /// A TCB version has a part that is not known for the product.
    public static let snpTCBReserved = Self(rawValue: "snp.tcb.reserved")
    /// The report's versions contradict each other.
    public static let snpTCBOrder = Self(rawValue: "snp.tcb.order")
    /// The firmware that runs is not the one that is committed.
    public static let snpProvisional = Self(rawValue: "snp.tcb.provisional")
    /// The firmware is older than the policy wants.
    public static let snpTCBMinimum = Self(rawValue: "snp.tcb.below-minimum")
    /// The firmware at the guest's launch was older than the policy wants.
    public static let snpLaunchTCBMinimum = Self(rawValue: "snp.tcb.launch-below-minimum")
    /// The firmware's version is lower than the policy wants.
    public static let snpFirmwareMinimum = Self(rawValue: "snp.firmware.below-minimum")
    /// A mitigation that the policy requires is not active.
    public static let snpMitigations = Self(rawValue: "snp.mitigations")
}
