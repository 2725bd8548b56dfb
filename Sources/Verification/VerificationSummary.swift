// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import Provenance
internal import StrictJSON

/// A SLSA Verification Summary (VSA, SLSA 1.2, "Verification Summary", v1 of the predicate): that somebody verified an
/// artifact, by which policy, from which attestations. It is a statement that nobody has signed yet: whoever passes it
/// on signs it.
public struct VerificationSummary: Hashable, Sendable {
    public static let predicateType = "https://slsa.dev/verification_summary/v1"
    /// `verifier.id` of whoever names none of their own.
    public static let defaultVerifierID = "https://github.com/cupel-build/cupel"
    /// `policy.uri` where the policy was given on the command line alone.
    public static let defaultPolicyURI =
        "https://github.com/cupel-build/cupel/blob/main/docs/policy.md#without-a-policy-file"

    /// A URI that names who verified.
    public var verifierID: String
    /// Of cupel.
    public var verifierVersion: String
    /// RFC 3339, by the verifier's clock.
    public var timeVerified: String
    /// Where the artifact is to be fetched; if `nil`, a package URL of its digest.
    public var resourceURI: String?
    /// Options of the command line that change what the policy file says.
    public var options: [String]

    public init(
        verifierID: String = Self.defaultVerifierID, verifierVersion: String, timeVerified: String,
        resourceURI: String? = nil, options: [String] = []
    ) {
        self.verifierID = verifierID
        self.verifierVersion = verifierVersion
        self.timeVerified = timeVerified
        self.resourceURI = resourceURI
        self.options = options
    }

    /// The summary of one bundle; `nil` where it could not be checked, as then nothing is known, and where no artifact
    /// is named.
    public func statement(of report: VerificationReport, policy: VerificationPolicy) -> Statement? {
        statement(of: [report], verdict: report.verdict, level: report.buildLevel, policy: policy)
    }

    /// The summary of bundles that were verified together; its level is the lowest of those that verified.
    public func statement(of report: JoinedReport, policy: VerificationPolicy) -> Statement? {
        let verified = report.parts.map(\.report).filter { $0.verdict == .verified }
        let counted = report.verdict == .verified ? verified : report.parts.map(\.report)
        let level = verified.compactMap(\.buildLevel).min { $0.rawValue < $1.rawValue }
        return statement(of: counted, verdict: report.verdict, level: level, policy: policy)
    }

    private func statement(
        of reports: [VerificationReport], verdict: VerificationReport.Verdict, level: SLSABuildLevel?,
        policy: VerificationPolicy
    ) -> Statement? {
        guard verdict != .notChecked, let subjects = reports.first?.subjects, let first = subjects.first else {
            return nil
        }
        let passed = verdict == .verified
        let resource = subjects.count == 1 ? first.name : "bundle"
        let digest = subjects.count == 1 ? first.sha256 : reports[0].provenanceDigest
        return Statement(
            subjects: subjects, predicateType: Self.predicateType,
            predicate: [
                "verifier": ["id": .string(verifierID), "version": ["cupel": .string(verifierVersion)]],
                "timeVerified": .string(timeVerified),
                "resourceUri": .string(resourceURI ?? Self.packageURL(resource, sha256: digest.hex)),
                "policy": descriptor(of: policy), "inputAttestations": .array(reports.flatMap(Self.inputs)),
                "verificationResult": passed ? "PASSED" : "FAILED",
                "verifiedLevels": [.string(passed ? level?.name ?? "SLSA_BUILD_LEVEL_0" : "FAILED")],
                "slsaVersion": "1.2",
            ])
    }

    private func descriptor(of policy: VerificationPolicy) -> JSONValue {
        var members: [String: JSONValue] = ["uri": .string(Self.defaultPolicyURI)]
        if let file = policy.file {
            // A relative reference: where it lies is nobody's business.
            let name = file.name.split(separator: "/").last.map(String.init) ?? ""
            members["uri"] = .string(PercentEncoding.encode(name))
            members["digest"] = ["sha256": .string(file.sha256.hex)]
        }
        if !options.isEmpty { members["annotations"] = ["options": .array(options.map(JSONValue.string))] }
        return .object(members)
    }

    private static func inputs(_ report: VerificationReport) -> [JSONValue] {
        [
            ["uri": "provenance.json", "digest": ["sha256": .string(report.provenanceDigest.hex)]],
            ["uri": "evidence.json", "digest": ["sha256": .string(report.evidenceDigest.hex)]],
        ]
    }

    /// `pkg:generic/NAME?checksum=sha256:…`
    private static func packageURL(_ name: String, sha256: String) -> String {
        "pkg:generic/\(PercentEncoding.encode(name))?checksum=sha256:\(sha256)"
    }
}
