// SPDX-License-Identifier: Apache-2.0
public import Appraisal
public import ByteCoding
public import Provenance
public import StrictJSON

/// What verification comes to, line by line. See ``json`` for tools and ``text(colour:)`` for people.
public struct VerificationReport: Hashable, Sendable {
    /// In the order of the steps.
    public let lines: [ReportLine]
    /// Every reason for a refusal, in the order of the steps.
    public let findings: [Finding]
    /// Every reason why something could not be checked.
    public let obstacles: [Finding]
    public let verdict: Verdict
    /// What the evidence says it is of, unchecked; `nil` where it does not parse.
    public let platform: String?
    /// Of `provenance.json` as it lies there.
    public let provenanceDigest: Digest256
    /// Of `evidence.json` as it lies there.
    public let evidenceDigest: Digest256
    /// As of when dates were judged, RFC 3339; `nil` where no time was known, and then nothing that has dates was
    /// accepted.
    public let datesAsOf: String?
    /// Where that time comes from.
    public let timeSource: TimeSource
    /// The artifacts that the provenance names; none where it does not parse.
    public let subjects: [Subject]
    /// The symbolic links among them that it states.
    public let links: [ArtifactLink]
    /// The level of SLSA's build track that a verified bundle shows; `nil` where it is not verified.
    public let buildLevel: SLSABuildLevel?
    /// What a verified bundle proves, sentences without full stops; empty where it is not verified.
    public let proves: [String]
    /// What a reader of a verified bundle might think to follow, and does not.
    public let doesNotProve: [String]

    /// The three ends of a verification.
    public enum Verdict: String, CaseIterable, Sendable {
        /// Every check passed.
        case verified
        /// At least one check failed.
        case refused
        /// None failed, and at least one could not be made.
        case notChecked
    }

    init(
        _ report: ReportRecorder, bundle: BundleContents, platform: String?, time: JudgedTime, subjects: [Subject],
        links: [ArtifactLink], level: SLSABuildLevel, claims: BundleClaims
    ) {
        lines = report.linesInOrder
        findings = report.findings
        obstacles = report.obstacles
        verdict = report.verdict
        self.platform = platform
        provenanceDigest = Digest256(of: bundle.provenance)
        evidenceDigest = Digest256(of: bundle.evidence)
        datesAsOf = time.rfc3339
        timeSource = time.source
        self.subjects = subjects
        self.links = links
        buildLevel = verdict == .verified ? level : nil
        proves = verdict == .verified ? claims.proves : []
        doesNotProve = verdict == .verified ? claims.doesNotProve : []
    }

    /// 0 verified, 1 checked and refused, 2 could not check.
    public var exitCode: Int32 { verdict.exitCode }

    /// What a machine of the platform is at best, as unchecked as ``platform``; `nil` where that is not known.
    public var machine: String? { platform.flatMap(Platform.init(rawValue:))?.machine }

    /// The whole report. Fields may be added; none is renamed.
    public var json: JSONValue {
        [
            "verdict": .string(verdict.rawValue),
            "exitCode": .integer(Int(exitCode)),
            "platform": platform.map(JSONValue.string) ?? .null,
            "machine": machine.map(JSONValue.string) ?? .null,
            "provenance": ["sha256": .string(provenanceDigest.hex)],
            "evidence": ["sha256": .string(evidenceDigest.hex)],
            "dates": [
                "asOf": datesAsOf.map(JSONValue.string) ?? .null, "source": .string(timeSource.rawValue),
            ],
            "slsaBuildLevel": buildLevel.map { .integer($0.rawValue) } ?? .null,
            "subjects": .array(subjects.map { ["name": .string($0.name), "sha256": .string($0.sha256.hex)] }),
            "links": .array(links.map { ["name": .string($0.name), "target": .string($0.target)] }),
            "lines": .array(lines.map(\.json)),
            "findings": .array(findings.map(\.json)),
            "obstacles": .array(obstacles.map(\.json)),
            "proves": .array(proves.map(JSONValue.string)),
            "doesNotProve": .array(doesNotProve.map(JSONValue.string)),
        ]
    }
}
