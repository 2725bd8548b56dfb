// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import Builds
internal import ByteCoding
internal import Provenance

/// Step 5: the evidence signs this provenance, and the nonce that was asked for.
struct BindingCheck {
    let provenance: BundleProvenance
    let bytes: [UInt8]
    /// `nil` where the evidence could not be read.
    let binding: SignedBinding?
    let policy: VerificationPolicy

    func record(in report: inout ReportRecorder) {
        guard let binding else {
            return report.giveUp(5, "binding", because: "what the evidence signs could not be read")
        }
        recordDigest(binding, in: &report)
        switch provenance {
        case .cupel(_, let record): recordNamedNonce(binding, named: record.nonceHex, in: &report)
        case .kettle: recordKettleNonce(binding, in: &report)
        case .unsupported, .malformed: break
        }
        recordFreshness(binding, in: &report)
    }

    private func recordDigest(_ binding: SignedBinding, in report: inout ReportRecorder) {
        let raw = Digest256(of: bytes)
        if binding.digest == raw.bytes {
            return report.pass(
                5, "binding", "the signed digest is the SHA-256 of provenance.json as it lies there, \(raw)")
        }
        if case .kettle = provenance, binding.digest == Digest256(of: CompactJSON.bytes(of: bytes)).bytes {
            return report.pass(
                5, "binding",
                "the signed digest is the SHA-256 of provenance.json in compact form, without white space, \(Hex.encode(binding.digest))"
            )
        }
        report.fail(
            5, "binding",
            Finding(
                .notBound, subject: "report_data", expected: "the SHA-256 of provenance.json, \(raw)",
                found: Hex.encode(binding.digest),
                remedy: "do not trust the bundle: its provenance was changed, or the evidence is of another build"))
    }

    /// The nonce stands in our provenance too, so that it cannot be confused with the zeros after it.
    private func recordNamedNonce(_ binding: SignedBinding, named hex: String, in report: inout ReportRecorder) {
        if let named = try? Nonce(hex: hex), named.hex == hex, binding.carries(nonce: named.bytes) {
            return report.pass(5, "nonce", "the evidence carries the nonce that provenance.json names, \(hex)")
        }
        report.fail(
            5, "nonce",
            Finding(
                .otherNonce, subject: "report_data", expected: "the nonce that provenance.json names, '\(hex)'",
                found: Self.shown(binding),
                remedy: "do not trust the bundle: evidence and provenance are not of one build"))
    }

    /// Kettle's provenance names no nonce: after the digest come zeros, or a nonce and zeros, of whatever number.
    private func recordKettleNonce(_ binding: SignedBinding, in report: inout ReportRecorder) {
        let count = binding.nonceField.count
        guard count <= Self.kettleNonceSize else {
            return report.fail(
                5, "nonce",
                Finding(
                    .otherNonce, subject: "report_data",
                    expected: "zeros after the digest, or a nonce of \(Self.kettleNonceSize) bytes",
                    found: Self.shown(binding), remedy: "do not trust the bundle: Kettle does not sign this"))
        }
        report.pass(
            5, "nonce",
            count == 0
                ? "the evidence carries none: \(binding.bytes.count - 32) zeros follow the digest"
                : "the evidence carries \(Self.shown(binding)), which Kettle's provenance does not name")
    }

    /// Bytes; zeros at its end cannot be told from those after it.
    private static let kettleNonceSize = 16

    private func recordFreshness(_ binding: SignedBinding, in report: inout ReportRecorder) {
        guard let nonce = policy.nonce else {
            guard !policy.requiresNonce else {
                return report.fail(
                    5, "freshness",
                    Finding(
                        .policyNonce, subject: "nonce",
                        expected: "the nonce of a build of your own, as the policy wants",
                        found: "none was asked for", remedy: "name it with --nonce"))
            }
            return report.leaveOut(
                5, "freshness", "not checked: no nonce was asked for, so the bundle can be of any age (--nonce)")
        }
        // Zeros alone cannot be told from those that fill the field, unless the provenance names them.
        let isNamed = provenance.record.map { $0.nonceHex == nonce.hex } ?? nonce.bytes.contains { $0 != 0 }
        if isNamed, binding.carries(nonce: nonce.bytes) {
            return report.pass(5, "freshness", "the evidence carries the nonce asked for, \(nonce)")
        }
        report.fail(
            5, "freshness",
            Finding(
                .notFresh, subject: "nonce", expected: "the nonce asked for, \(nonce)", found: Self.shown(binding),
                remedy: "ask for a build of your own: this one was made for another request"))
    }

    private static func shown(_ binding: SignedBinding) -> String {
        binding.nonceField.isEmpty ? "no nonce" : Hex.encode(binding.nonceField)
    }
}

extension Finding.Code {
    /// The signed digest is not the provenance's.
    public static let notBound = Self(rawValue: "binding.provenance")
    /// The evidence carries another nonce than the provenance names.
    public static let otherNonce = Self(rawValue: "binding.nonce")
    /// The policy wants a nonce, and none was asked for.
    public static let policyNonce = Self(rawValue: "policy.nonce")
    /// The nonce is not the one asked for.
    public static let notFresh = Self(rawValue: "binding.freshness")
}
