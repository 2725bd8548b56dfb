// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// What steps 2 and 4 found out about the hardware beneath a guest.
struct SNPHardware {
    let endorsement: SNPEndorsement
    let issuerName: String
    let isRevocationChecked: Bool

    /// What step 2 says where nothing is wrong.
    var signatureLine: String {
        let signer =
            switch endorsement.kind {
            case .vlek: "the VLEK of \(endorsement.provider ?? "no named provider") for \(endorsement.product.rawValue)"
            case .vcek, .none: "the VCEK of a \(endorsement.product.rawValue) chip"
            }
        let agreement = endorsement.chipID == nil ? "firmware as" : "chip and firmware as"
        return "signed by \(signer), certified by \(issuerName); \(agreement) certified; "
            + (isRevocationChecked ? "not on AMD's revocation list" : "revocation not checked")
    }

    /// What step 4 says where nothing is wrong.
    func platformLine(_ report: SNPReport) -> String {
        let guest = [
            report.policy.allowsDebug ? "debugging" : "no debugging",
            report.policy.allowsMigrationAgent ? "migration agent" : "no migration agent",
            "SMT \(report.platformInfo.contains(.smtEnabled) ? "on" : "off")", "VMPL \(report.vmpl)",
        ]
        let isCommitted = report.currentTCB == report.committedTCB && report.currentFirmware == report.committedFirmware
        return guest.joined(separator: ", ") + "; firmware \(report.currentFirmware)"
            + "\(isCommitted ? "" : ", not committed"), TCB \(endorsement.tcb.text)"
    }
}

/// What an accepted report proves, and what a reader might think it proves.
struct SNPStatements {
    private(set) var proves: [String] = []
    private(set) var doesNotProve: [String] = []

    init() {}

    /// - Parameter image: the known image that was launched; `nil` where any was accepted.
    init(_ report: SNPReport, _ hardware: SNPHardware, image: KnownImage?, policy: SNPPolicy) {
        let endorsement = hardware.endorsement
        let launched = image.map { "\($0.name) \($0.version)" } ?? "an unknown image"
        let chip = endorsement.chipID.map { "chip \(Hex.encode($0.prefix(8)))" } ?? "its chip is not named"
        proves.append(
            "an AMD \(endorsement.product.rawValue) processor with SEV-SNP (\(chip)) launched \(launched) as a guest")
        proves.append("that guest, at VMPL \(report.vmpl), asked the processor to sign what is bound here")
        if !report.policy.allowsDebug, !report.policy.allowsMigrationAgent {
            proves.append("by SEV-SNP's design, the host could neither read nor write the guest's private memory")
        }
        doesNotProve = image == nil ? ["what the image is or does: any measurement was accepted"] : []
        doesNotProve += accessStatements(report)
        doesNotProve.append("what the guest did after launch: MEASUREMENT covers what was loaded before it ran")
        if policy.minimumTCB[endorsement.product] == nil {
            doesNotProve.append("that the host's firmware has no known weakness: no least TCB was asked for")
        }
        if !hardware.isRevocationChecked {
            doesNotProve.append("that AMD has not revoked a key since: no revocation list was at hand")
        }
        if report.platformInfo.contains(.smtEnabled) {
            doesNotProve.append("that nothing leaked between threads of a core: SMT is on")
        }
        doesNotProve.append(
            "where the machine stands, or that nobody with access to its hardware attacked it")
    }

    private func accessStatements(_ report: SNPReport) -> [String] {
        var statements: [String] = []
        if report.policy.allowsDebug {
            statements.append("that anything stayed secret or unchanged: the host may debug the guest")
        }
        if report.policy.allowsMigrationAgent {
            statements.append("that only the guest saw its memory: its migration agent can read it")
        }
        if report.vmpl > 0 {
            statements.append(
                "that VMPL \(report.vmpl) ran undisturbed: more privileged levels of the guest can change it")
        }
        return statements
    }
}
