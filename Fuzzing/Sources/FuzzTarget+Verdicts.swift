// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON

extension FuzzTarget {
    /// The whole way from bytes to a verdict. No fuzzer has a vendor's key: nothing may be accepted.
    static let verdicts = [
        FuzzTarget("appraise", { bytes throws(MalformedBytes) in try EvidenceEnvelope(parsing: bytes) }) {
            _, envelope in
            expectRefused(envelope)
        },
        FuzzTarget("appraise-snp", { bytes throws(MalformedBytes) in bytes }) { bytes, _ in
            let report = bytes.prefix(SNPReport.size)
            let certificate = bytes.dropFirst(SNPReport.size)
            expectRefused(
                EvidenceEnvelope(
                    platform: "snp",
                    evidence: [
                        "attestation_report": .string(Base64.encode(report)),
                        "cert_chain": ["vcek": .string(Base64.encode(certificate))],
                    ]))
        },
        FuzzTarget("appraise-tdx", { bytes throws(MalformedBytes) in bytes }) { bytes, _ in
            expectRefused(EvidenceEnvelope(platform: "tdx", evidence: ["quote": .string(Base64.encode(bytes))]))
        },
    ]

    private static let policy: AppraisalPolicy = {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        return policy
    }()

    private static func expectRefused(_ envelope: EvidenceEnvelope) {
        let result = appraise(envelope, policy: policy, now: 1_750_000_000)
        guard case .accepted(let evidence) = result.verdict else { return }
        expect(false, "evidence of \(evidence.platform) is accepted")
    }
}
