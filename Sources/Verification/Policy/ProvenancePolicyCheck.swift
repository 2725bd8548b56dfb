// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding

/// Step 7: the provenance is what the policy wants. Every rule that the policy has makes a line; those that it has not
/// make none.
struct ProvenancePolicyCheck {
    let provenance: BundleProvenance
    let policy: VerificationPolicy

    private var rules: ProvenancePolicy { policy.provenance }

    func record(in report: inout ReportRecorder) {
        guard rules != ProvenancePolicy() else { return }
        switch provenance {
        case .cupel, .kettle: break
        case .unsupported, .malformed:
            return report.giveUp(7, "policy", because: "provenance.json is not understood, so no rule could be checked")
        }
        let facts = ProvenanceFacts(provenance)
        recordSource(facts, in: &report)
        recordBuilder(facts, in: &report)
        recordToolchain(facts, in: &report)
        recordPhases(facts, in: &report)
        recordAge(facts, in: &report)
    }

    private func recordSource(_ facts: ProvenanceFacts, in report: inout ReportRecorder) {
        let archives = rules.sourceArchives.map { Pattern($0.hex) }
        let rows = [
            Row(.policySourceURI, "source.uri", facts.sourceURI, rules.sourceURIs),
            Row(.policySourceRef, "source.ref", facts.sourceRef, rules.sourceRefs),
            Row(.policySourceCommit, "source.commit", facts.sourceCommit, rules.sourceCommits),
            Row(.policySourceArchive, "source.archive", facts.sourceArchive, archives),
        ]
        Self.record(
            rows, "source", in: &report,
            remedy: "do not use it as what you asked for: it was built from something else")
    }

    private func recordBuilder(_ facts: ProvenanceFacts, in report: inout ReportRecorder) {
        let versions = rules.builderVersions.sorted { $0.key < $1.key }.map { name, patterns in
            Row(.policyBuilderVersion, "builder.version.\(name)", facts.builderVersions[name], patterns)
        }
        Self.record(
            [Row(.policyBuilderID, "builder.id", facts.builderID, rules.builderIDs)] + versions, "builder", in: &report,
            remedy: "have a builder build it that the policy names, or add this one to the policy")
        Self.record(
            [Row(.policyBuildType, "buildType", facts.buildType, rules.buildTypes)], "build type", in: &report,
            remedy: "add the build type to the policy if you know what it means")
        Self.record(
            [Row(.policyIsolation, "isolation", facts.isolation, rules.isolations.map { Pattern($0) })],
            "isolation", in: &report, remedy: "have it built in the isolation that the policy names")
    }

    private func recordToolchain(_ facts: ProvenanceFacts, in report: inout ReportRecorder) {
        guard !rules.tools.isEmpty || rules.refusesOtherTools else { return }
        let others = rules.refusesOtherTools ? otherTools(facts) : []
        let names = rules.tools.map(\.name).joined(separator: ", ")
        report.decide(
            7, "toolchain", rules.tools.flatMap { Self.findings($0, facts.tools) } + others,
            passed: "\(names) as the policy wants" + (rules.refusesOtherTools ? ", and no other tool" : ""))
    }

    private func recordPhases(_ facts: ProvenanceFacts, in report: inout ReportRecorder) {
        guard !rules.phasesWithoutNetwork.isEmpty else { return }
        let names = rules.phasesWithoutNetwork.joined(separator: ", ")
        report.decide(
            7, "network", rules.phasesWithoutNetwork.flatMap { Self.findings(phase: $0, facts.phases) },
            passed: "provenance.json states that there was none in: \(names)")
    }

    private func recordAge(_ facts: ProvenanceFacts, in report: inout ReportRecorder) {
        guard let maximum = rules.maximumAge else { return }
        guard let now = policy.ageReference else {
            return report.obstruct(
                7, "age",
                Finding(
                    .policyAge, subject: "finishedOn", expected: "a time to compare it with", found: "none",
                    remedy: "set the clock, or give a time with --at"))
        }
        let shown = facts.finishedOn.map { "'\($0.prefix(40))'" } ?? "not stated"
        let finished = facts.finishedOn.flatMap(BuildTime.seconds)
        let age = finished.map { now.subtractingReportingOverflow($0).partialValue }
        guard let age, age <= maximum, age >= -BuildTime.tolerance else {
            return report.fail(
                7, "age",
                Finding(
                    .policyAge, subject: "finishedOn",
                    expected: "at most \(BuildTime.shown(maximum)) before \(CivilTime(secondsSince1970: now).rfc3339)",
                    found: shown, remedy: "have it built again, or raise maximumAge in the policy"))
        }
        report.pass(7, "age", "finished on \(shown), at most \(BuildTime.shown(maximum)) ago")
    }

    /// One rule: what is stated, and what it must be.
    private struct Row {
        let code: Finding.Code
        let subject: String
        let found: String?
        let patterns: [Pattern]

        init(_ code: Finding.Code, _ subject: String, _ found: String?, _ patterns: [Pattern]) {
            self.code = code
            self.subject = subject
            self.found = found
            self.patterns = patterns
        }

        var isMet: Bool { found.map { found in patterns.contains { $0.matches(found) } } ?? false }
        var wanted: String { oneOf(patterns.map(\.text)) }
        var shown: String { found.map { "'\($0)'" } ?? "not stated" }
    }

    private static func record(
        _ rows: [Row], _ name: String, in report: inout ReportRecorder, remedy: String
    ) {
        let rows = rows.filter { !$0.patterns.isEmpty }
        guard !rows.isEmpty else { return }
        let findings = rows.filter { !$0.isMet }.map {
            Finding($0.code, subject: $0.subject, expected: $0.wanted, found: $0.shown, remedy: remedy)
        }
        let passed = rows.map { "\($0.subject.split(separator: ".").last ?? "") \($0.shown) fits \($0.wanted)" }
        report.decide(7, name, findings, passed: passed.joined(separator: "; "))
    }

    private static func findings(_ rule: ToolRule, _ tools: [ProvenanceFacts.Tool]) -> [Finding] {
        let remedy = "have it built with the tools that the policy names"
        let named = tools.filter { $0.name == rule.name }
        guard !named.isEmpty else {
            return [
                Finding(
                    .policyTool, subject: "toolchain.\(rule.name)", expected: "among the tools that built",
                    found: "not stated", remedy: remedy)
            ]
        }
        var findings: [Finding] = []
        for tool in named {
            let digests = rule.sha256.map { Pattern($0.hex) }
            for row in [
                Row(.policyToolVersion, "toolchain.\(rule.name).version", tool.version, rule.versions),
                Row(.policyToolDigest, "toolchain.\(rule.name).sha256", tool.sha256, digests),
            ] where !row.patterns.isEmpty && !row.isMet {
                findings.append(
                    Finding(
                        row.code, subject: row.subject, expected: row.wanted, found: row.shown, remedy: remedy))
            }
        }
        return findings
    }

    private func otherTools(_ facts: ProvenanceFacts) -> [Finding] {
        let known = Set(rules.tools.map(\.name))
        return facts.tools.filter { !known.contains($0.name) }.map {
            Finding(
                .policyOtherTool, subject: "toolchain",
                expected: "no tool but \(known.sorted().joined(separator: ", "))",
                found: "'\($0.name)'", remedy: "add the tool to the policy if you know it")
        }
    }

    private static func findings(phase name: String, _ phases: [ProvenanceFacts.Phase]) -> [Finding] {
        let named = phases.filter { $0.name == name }
        guard named.isEmpty || named.contains(where: { $0.network != false }) else { return [] }
        return [
            Finding(
                .policyNetwork, subject: "phases.\(name)", expected: "stated, and without network",
                found: named.isEmpty ? "not stated" : "with network",
                remedy: "do not trust it to be built from its inputs alone")
        ]
    }
}

/// "'a'", or "one of 'a', 'b'".
func oneOf(_ texts: [String]) -> String {
    let quoted = texts.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    let more = texts.count > 5 ? " and \(texts.count - 5) more" : ""
    return texts.count == 1 ? quoted : "one of \(quoted)\(more)"
}

extension Finding.Code {
    /// The source's repository is not one that the policy names.
    public static let policySourceURI = Self(rawValue: "policy.source.uri")
    /// The commit was found under a name that the policy does not accept.
    public static let policySourceRef = Self(rawValue: "policy.source.ref")
    /// The commit is not one that the policy names.
    public static let policySourceCommit = Self(rawValue: "policy.source.commit")
    /// The archive is not one that the policy names.
    public static let policySourceArchive = Self(rawValue: "policy.source.archive")
    /// Another builder than the policy names built it.
    public static let policyBuilderID = Self(rawValue: "policy.builder.id")
    /// The builder has a version that the policy does not accept.
    public static let policyBuilderVersion = Self(rawValue: "policy.builder.version")
    /// The build is of a type that the policy does not accept.
    public static let policyBuildType = Self(rawValue: "policy.build-type")
    /// The build was isolated otherwise than the policy wants.
    public static let policyIsolation = Self(rawValue: "policy.isolation")
    /// A tool that the policy names did not build.
    public static let policyTool = Self(rawValue: "policy.tool.missing")
    /// A tool has a version that the policy does not accept.
    public static let policyToolVersion = Self(rawValue: "policy.tool.version")
    /// A tool is another binary than the policy names.
    public static let policyToolDigest = Self(rawValue: "policy.tool.digest")
    /// A tool built that the policy does not name.
    public static let policyOtherTool = Self(rawValue: "policy.tool.other")
    /// A phase had network, or is not stated.
    public static let policyNetwork = Self(rawValue: "policy.network")
    /// The build is older than the policy accepts, or its end is not stated.
    public static let policyAge = Self(rawValue: "policy.age")
}
