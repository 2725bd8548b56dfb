// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// The keys of a policy file that concern the provenance.
struct ProvenanceKeys {
    private let members: PolicyMembers

    init(_ members: PolicyMembers) { self.members = members }

    func policy() throws(PolicyError) -> ProvenancePolicy {
        var policy = ProvenancePolicy()
        if let source = try members.inner("source", known: ["uri", "ref", "commit", "archive"]) {
            policy.sourceURIs = (try source.patterns("uri") ?? []).map(Self.withoutPrefix)
            policy.sourceRefs = try source.patterns("ref") ?? []
            policy.sourceCommits = try source.patterns("commit") ?? []
            policy.sourceArchives = try source.digests("archive") ?? []
        }
        if let builder = try members.inner("builder", known: ["id", "version"]) {
            policy.builderIDs = try builder.patterns("id") ?? []
            if let versions = try builder.inner("version", known: nil) {
                for name in versions.keys { policy.builderVersions[name] = try versions.patterns(name) }
            }
        }
        policy.buildTypes = try members.patterns("buildTypes") ?? []
        policy.isolations = try members.texts("isolation") ?? []
        try readToolchain(into: &policy)
        policy.phasesWithoutNetwork = try members.texts("phasesWithoutNetwork") ?? []
        policy.maximumAge = try maximumAge()
        return policy
    }

    private func readToolchain(into policy: inout ProvenancePolicy) throws(PolicyError) {
        guard let section = try members.inner("toolchain", known: ["tools", "refuseOthers"]) else { return }
        policy.refusesOtherTools = try section.flag("refuseOthers") ?? false
        try section.required("tools")
        for tool in try section.list("tools", known: ["name", "version", "sha256"]) {
            try tool.required("name")
            let name = try tool.text("name") ?? ""
            guard !policy.tools.contains(where: { $0.name == name }) else {
                throw tool.refusal("name", "'\(name)' stands twice")
            }
            policy.tools.append(
                ToolRule(
                    name: name, versions: try tool.patterns("version") ?? [], sha256: try tool.digests("sha256") ?? []))
        }
    }

    /// "30d", "36h", "90m".
    private func maximumAge() throws(PolicyError) -> Int64? {
        guard let value = members["maximumAge"] else { return nil }
        let text = value.stringValue ?? ""
        let units: [Character: Int64] = ["m": 60, "h": 3600, "d": 86_400]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...6).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int64(digits), count > 0
        else { throw members.wrong("maximumAge", "a time such as 30d, 36h or 90m") }
        return count * unit
    }

    /// Git's sources begin with `git+` in provenance of ours; policies may say so or leave it out.
    private static func withoutPrefix(_ pattern: Pattern) -> Pattern {
        pattern.text.hasPrefix("git+") ? Pattern(String(pattern.text.dropFirst(4))) : pattern
    }
}
