// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
public import StrictJSON

/// What the verification of bare evidence comes to. See ``json`` for tools and ``text(colour:)`` for people.
public struct EvidenceReport: Hashable, Sendable {
    /// In the order of the steps.
    public let lines: [ReportLine]
    /// Every reason for a refusal, in the order of the steps.
    public let findings: [Finding]
    /// Every reason why something could not be checked.
    public let obstacles: [Finding]
    public let verdict: VerificationReport.Verdict
    /// What the evidence says it is of, unchecked; `nil` where it does not parse.
    public let platform: String?
    /// What the platform signed for its caller, unchecked; `nil` where it could not be read.
    public let signed: [UInt8]?
    /// As of when dates were judged, RFC 3339; `nil` where no time was known.
    public let datesAsOf: String?
    public let timeSource: TimeSource
    /// What verified evidence proves, sentences without full stops; empty where it is not verified.
    public let proves: [String]
    /// What a reader might think to follow, and does not.
    public let doesNotProve: [String]

    init(
        _ report: ReportRecorder, platform: String?, signed: [UInt8]?, time: JudgedTime, proves: [String],
        doesNotProve: [String]
    ) {
        lines = report.linesInOrder
        findings = report.findings
        obstacles = report.obstacles
        verdict = report.verdict
        self.platform = platform
        self.signed = signed
        datesAsOf = time.rfc3339
        timeSource = time.source
        self.proves = verdict == .verified ? proves : []
        self.doesNotProve = verdict == .verified ? doesNotProve : []
    }

    /// 0 verified, 1 checked and refused, 2 could not check.
    public var exitCode: Int32 { verdict.exitCode }

    /// Whether the hardware is genuine and all that is wrong is that nobody vouches for the image.
    public var isUnknownImage: Bool {
        verdict == .refused && obstacles.isEmpty && findings.allSatisfy { $0.code == .unknownImage }
    }

    /// As ``VerificationReport/machine``.
    public var machine: String? { platform.flatMap(Platform.init(rawValue:))?.machine }

    /// The whole report. Fields may be added; none is renamed.
    public var json: JSONValue {
        [
            "verdict": .string(verdict.rawValue),
            "exitCode": .integer(Int(exitCode)),
            "unknownImage": .bool(isUnknownImage),
            "platform": platform.map(JSONValue.string) ?? .null,
            "machine": machine.map(JSONValue.string) ?? .null,
            "signed": signed.map { .string(Hex.encode($0)) } ?? .null,
            "dates": ["asOf": datesAsOf.map(JSONValue.string) ?? .null, "source": .string(timeSource.rawValue)],
            "lines": .array(lines.map(\.json)),
            "findings": .array(findings.map(\.json)),
            "obstacles": .array(obstacles.map(\.json)),
            "proves": .array(proves.map(JSONValue.string)),
            "doesNotProve": .array(doesNotProve.map(JSONValue.string)),
        ]
    }

    /// The report for a terminal, as that of a bundle.
    public func text(colour: Bool) -> String {
        typealias Parts = VerificationReport
        let style = TextStyle(isColoured: colour)
        let genuine = machine == Platform.vtpm.machine ? "" : "genuine hardware, "
        let image = isUnknownImage ? ": \(genuine)unknown image" : ""
        var text = "\(style.headline(verdict))\(image)\(Parts.named(platform))\n\n"
        text += lines.map { Parts.line($0, style) }.joined()
        text += Parts.section("why", (findings + obstacles).map(Parts.reason), most: Parts.mostReasons)
        text += Parts.section("proved", proves, most: Parts.mostReasons)
        text += Parts.section("not proved", doesNotProve, most: Parts.mostReasons)
        return text
    }
}
