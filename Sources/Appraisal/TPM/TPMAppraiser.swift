// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
package import Evidence

/// Appraises a plain TPM: the platform `vtpm`.
package struct TPMAppraiser {
    let policy: AppraisalPolicy
    let collateral: CollateralSet
    let now: Int64?

    package init(policy: AppraisalPolicy, collateral: CollateralSet = CollateralSet(), now: Int64?) {
        self.policy = policy
        self.collateral = collateral
        self.now = now
    }

    package func appraise(_ envelope: EvidenceEnvelope) -> AppraisalResult {
        do {
            return appraise(try TPMEvidence(envelope.evidence))
        } catch {
            return AppraisalResult(malformed: error)
        }
    }

    package func appraise(_ evidence: TPMEvidence) -> AppraisalResult {
        var steps = ReportRecorder()
        steps.pass(
            1, EvidenceStep.format, "a quote of a TPM with \(evidence.registers.count) values, with no byte too many")
        let check = TPMQuoteCheck(
            quote: evidence.quote, signature: evidence.signature,
            publicKeyInfo: evidence.attestationKey.subjectPublicKeyInfo, values: evidence.registers)
        let findings = check.findings()
        steps.decide(
            2, EvidenceStep.signature, findings,
            passed: "the attestation key signed a quote of \(TPMRegister.text(check.covered)), whose values are these")
        let trust = TPMKeyCheck(
            evidence: evidence, policy: policy.tpm, intermediates: collateral.tpmCertificates, now: now
        ).record(in: &steps)
        record(evidence.eventLog, check, in: &steps)
        var image: KnownImage?
        if findings.isEmpty {
            image = TPMMeasurementCheck(platform: .vtpm, registers: check.registers, needed: [], policy: policy)
                .record(in: &steps)
        } else {
            steps.giveUp(3, EvidenceStep.measurement, because: "the quote does not cover the values")
        }
        steps.decide(
            4, EvidenceStep.platformPolicy, TPMRegisterCheck(covered: check.covered, policy: policy.tpm).findings(),
            passed: "measured, not confidential: a TPM keeps nothing from its machine's owner; the registers that the "
                + "policy requires are quoted")
        let statements = TPMStatements(trust: trust, image: image)
        return AppraisalResult(
            steps,
            evidence: AppraisedEvidence(
                platform: TPMEvidence.platform, binding: SignedBinding(bytes: evidence.quote.extraData),
                proves: statements.proves, doesNotProve: statements.doesNotProve))
    }

    private func record(_ log: TCGEventLog?, _ quote: TPMQuoteCheck, in steps: inout ReportRecorder) {
        guard let log else {
            return steps.leaveOut(2, "event log", "there is none: what was measured is known by its registers alone")
        }
        let check = TPMEventLogCheck(log: log, covered: quote.covered, values: quote.values)
        steps.decide(
            2, "event log", check.findings(),
            passed: "replaying its \(log.events.count) events gives the quoted \(check.explained)\(check.rest)")
    }
}

/// What an accepted quote proves, and what a reader might think it proves.
struct TPMStatements {
    let proves: [String]
    let doesNotProve: [String]

    /// - Parameter image: the known image whose registers were quoted; `nil` where any was accepted.
    init(trust: TPMKeyCheck.Trust?, image: KnownImage?) {
        let signer =
            switch trust {
            case .named: "a key that the policy names"
            case .certified(let authority, _): "a key that '\(authority)' says is a TPM's"
            case .unbound, nil: "a key that nothing ties to a TPM"
            }
        var proves = ["\(signer) signed a quote with what is bound here"]
        if case .certified(let authority, let endorsement?) = trust {
            proves.append(
                "'\(authority)' says too that this TPM is the one of the endorsement certificate \(endorsement)")
        }
        if let image {
            let registers = MeasurementCheck.names(image.registers.keys)
            proves.append("at that time \(registers) held what booting \(image.name) \(image.version) leaves there")
        }
        self.proves = proves
        var more: [String] = []
        if case .unbound = trust {
            more.append("that a TPM was involved at all: the key may be anybody's, as was accepted by name")
        }
        if image == nil { more.append("what system was booted: no register was compared, as any was accepted") }
        doesNotProve =
            more + [
                "that the machine kept anything secret or unchanged: it is measured, not confidential; a TPM measures "
                    + "a machine, and isolates nothing",
                "anything against whoever runs the machine: the host of a virtual TPM can make it sign what it likes, "
                    + "and firmware that lies before it is measured is not noticed",
                "that the TPM's certificates are not revoked: no revocation list is looked at",
            ]
    }
}
