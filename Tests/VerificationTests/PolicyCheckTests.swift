// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Builds
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

/// One change to a bundle that meets the whole policy, and the only reasons that it may be refused for.
struct Breach: Sendable, CustomTestStringConvertible {
    let name: String
    let codes: [String]
    let change: @Sendable (inout MadeBundle) throws -> Void

    init(_ name: String, _ codes: String..., change: @escaping @Sendable (inout MadeBundle) throws -> Void) {
        self.name = name
        self.codes = codes
        self.change = change
    }

    var testDescription: String { name }

    static let all = [
        Breach("another repository", "policy.source.uri") { $0.setSource(uri: "https://example.com/other") },
        Breach("a repository that only begins so", "policy.source.uri") {
            $0.setSource(uri: "https://example.com/probe.git")
        },
        Breach("a branch instead of a tag", "policy.source.ref") { $0.setSource(ref: "refs/heads/main") },
        Breach("another commit", "policy.source.commit") { $0.setSource(commit: String(repeating: "e", count: 40)) },
        Breach("an upload", "policy.source.uri", "policy.source.ref", "policy.source.commit") {
            $0.facts.source = MadeBundle.facts().source
        },
        Breach(
            "a request that names another repository than was built", "policy.source.uri", "policy.source.ref",
            "policy.source.commit"
        ) { $0.facts.source.externalParameters = ["uri": "git+https://example.com/else"] },
        Breach("another builder", "policy.builder.id") { $0.facts.builderID = "https://example.com/builder2" },
        Breach("an older builder", "policy.builder.version") { $0.facts.builderVersion = ["cupel": "0.1.9"] },
        Breach("a builder without its version", "policy.builder.version") { $0.facts.builderVersion = [:] },
        Breach("another build type", "policy.build-type") {
            $0.facts.buildType = BuildFacts.buildTypeBase + "nix-v1.md"
        },
        Breach("no isolation", "policy.isolation") { $0.facts.isolation = "none" },
        Breach("a tool that is missing", "policy.tool.missing") {
            $0.facts.tools.removeAll { $0.name == "cargo" }
        },
        Breach("another version of a tool", "policy.tool.version") {
            $0.changeTool("rustc") { $0.annotations["version"] = "rustc 1.84.0" }
        },
        Breach("a tool without its version", "policy.tool.version") {
            $0.changeTool("rustc") { $0.annotations = [:] }
        },
        Breach("another binary of a tool", "policy.tool.digest") {
            $0.changeTool("cargo") { $0.digest = ["sha256": Digest256(of: [9]).hex] }
        },
        Breach("a tool with another kind of digest", "policy.tool.digest") {
            $0.changeTool("cargo") { $0.digest = ["dirHash": Digest256(of: [9]).hex] }
        },
        Breach("a tool more", "policy.tool.other") {
            $0.facts.tools.append(ResourceDescriptor(name: "sccache", digest: ["sha256": Digest256(of: [1]).hex]))
        },
        Breach("a build phase with network", "policy.network") {
            $0.facts.phases[1] = Phase(name: "build", network: true, commandLine: ["cargo"])
        },
        Breach("two build phases, one with network", "policy.network") {
            $0.facts.phases.append(Phase(name: "build", network: true, commandLine: ["cargo"]))
        },
        Breach("no build phase", "policy.network") { $0.facts.phases.removeLast() },
        Breach("a build that is too old", "policy.age") { $0.facts.finishedOn = "2025-12-30T23:59:00Z" },
        Breach("a build of the future", "policy.age") { $0.facts.finishedOn = "2026-02-01T00:00:00Z" },
        Breach("an end that is no time", "policy.age") { $0.facts.finishedOn = "yesterday" },
        Breach("another key of the service", "policy.software-key") { $0.key = [UInt8](repeating: 9, count: 32) },
        Breach("provenance that does not parse", "provenance.malformed") { $0.statement = { _ in "{}" } },
    ]
}

extension MadeBundle {
    /// Meets ``PolicyCheckTests/policy``.
    static func clean() -> MadeBundle {
        var bundle = MadeBundle()
        bundle.setSource()
        bundle.facts.builderVersion = ["cupel": "0.2.1"]
        bundle.changeTool("rustc") { $0.annotations["version"] = "rustc 1.85.1 (4eb161250 2025-03-15)" }
        bundle.facts.phases = [
            Phase(name: "fetch", network: true, commandLine: ["cargo", "fetch"]),
            Phase(name: "build", network: false, commandLine: ["cargo", "build"]),
        ]
        return bundle
    }

    mutating func setSource(
        uri: String = "https://example.com/probe", ref: String = "refs/tags/v1.2",
        commit: String = String(repeating: "c", count: 40)
    ) {
        facts.source = ResolvedSource(
            descriptor: ResourceDescriptor(
                uri: "git+\(uri)@\(ref)", digest: ["gitCommit": commit, "cupelTree": Digest256(of: []).hex]),
            externalParameters: ["uri": .string("git+\(uri)"), "ref": "v1.2"])
    }

    mutating func changeTool(_ name: String, _ change: (inout ResourceDescriptor) -> Void) {
        for index in facts.tools.indices where facts.tools[index].name == name { change(&facts.tools[index]) }
    }
}

@Suite struct PolicyCheckTests {
    static let policy = """
        version: 1
        platforms: software
        acceptSoftwareUnsafely: true
        software: {keys: \(MadeBundle.publicKey)}
        source:
          uri: git+https://example.com/probe
          ref: refs/tags/v*
          commit: [\(String(repeating: "a", count: 40)), cccc*]
        builder: {id: https://example.com/builder, version: {cupel: "0.2.*"}}
        buildTypes: "**/cargo-v1.md"
        isolation: [sandbox, snp]
        toolchain:
          refuseOthers: true
          tools:
            - {name: rustc, version: "rustc 1.85.*"}
            - {name: cargo, sha256: \(Digest256(of: Array("cargo".utf8)))}
        phasesWithoutNetwork: build
        maximumAge: 30d
        """

    /// 2026-01-30.
    static let now: Int64 = 1_769_731_200

    static func parsed(_ text: String = Self.policy) throws -> VerificationPolicy {
        var policy = try PolicyFile(parsing: Array(text.utf8)).policy(name: "p", files: [:], present: now)
        policy.now = now
        return policy
    }

    @Test func whatMeetsThePolicyVerifies() throws {
        let report = try MadeBundle.clean().verify(policy: Self.parsed())
        #expect(report.exitCode == 0, "\(report.text(colour: false))")
        #expect(
            report.lines.filter { [2, 4, 7].contains($0.step) }.map { "\($0.step) \($0.name) \($0.status)" } == [
                "2 signature passed", "2 key passed", "4 platform notChecked", "4 accepted passed",
                "7 provenance passed", "7 inputs passed", "7 source passed", "7 builder passed", "7 build type passed",
                "7 isolation passed", "7 toolchain passed", "7 network passed", "7 age passed",
            ])
    }

    @Test(arguments: Breach.all)
    func aBreachIsRefusedForThatReason(breach: Breach) throws {
        var bundle = MadeBundle.clean()
        try breach.change(&bundle)
        let report = try bundle.verify(policy: Self.parsed())
        #expect(report.exitCode == 1)
        #expect((report.findings + report.obstacles).map(\.code.rawValue) == breach.codes)
    }

    @Test(arguments: [
        ("platforms: snp", "policy.platform"), ("requireNonce: true", "policy.nonce"),
        ("require: {atLeast: 2}", "policy.quorum"),
    ])
    func otherRulesAreRefusedByTheirCodes(text: String, code: String) throws {
        let policy = try Self.parsed("version: 1\nacceptSoftwareUnsafely: true\n\(text)")
        #expect(try MadeBundle().verify(policy: policy).findings.map(\.code.rawValue) == [code])
    }

    @Test func aRequiredNonceThatIsThereIsAccepted() throws {
        var policy = try Self.parsed("version: 1\nacceptSoftwareUnsafely: true\nrequireNonce: true")
        policy.nonce = try Nonce(hex: "abcd")
        #expect(try MadeBundle().verify(policy: policy).exitCode == 0)
        policy.nonce = try Nonce(hex: "abce")
        #expect(try MadeBundle().verify(policy: policy).findings.map(\.code.rawValue) == ["binding.freshness"])
    }

    @Test func anUploadIsKnownByItsDigest() throws {
        let digest = Digest256(of: [1])
        var bundle = MadeBundle()
        bundle.facts.source.externalParameters = ["name": "probe.tar.gz", "sha256": .string(digest.hex)]
        let text = "version: 1\nacceptSoftwareUnsafely: true\nsource: {archive: "
        #expect(try bundle.verify(policy: Self.parsed("\(text)\(digest)}")).exitCode == 0)
        let other = try bundle.verify(policy: Self.parsed("\(text)\(Digest256(of: [2]))}"))
        #expect(other.findings.map(\.code.rawValue) == ["policy.source.archive"])
    }

    @Test func withoutAClockNoAgeIsAccepted() throws {
        var policy = try Self.parsed()
        policy.now = nil
        let report = try MadeBundle.clean().verify(policy: policy)
        #expect(report.exitCode == 2 && report.obstacles.map(\.code.rawValue) == ["policy.age"])
    }

    @Test(arguments: ["2026-01-29T00:00:00.123456+00:00", "2026-01-29T00:00:00.5Z", "2026-01-29T00:00:00Z"])
    func timesOfOtherBuildersAreRead(time: String) throws {
        var bundle = MadeBundle.clean()
        bundle.facts.finishedOn = time
        #expect(try bundle.verify(policy: Self.parsed()).exitCode == 0)
    }

    /// Twenty-four lines, as a terminal has them.
    @Test func theTextFitsOneScreenWithTheWholePolicy() throws {
        let text = try MadeBundle.clean().verify(policy: Self.parsed()).text(colour: false)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 26, "\(text)")
        #expect(
            text.contains("7 policy       as wanted: source, builder, build type, isolation, toolchain, network, age"))
    }

    @Test func aBreachIsShownWhole() throws {
        var bundle = MadeBundle.clean()
        bundle.setSource(ref: "refs/heads/main")
        let text = try bundle.verify(policy: Self.parsed()).text(colour: false)
        #expect(text.contains("FAIL  7 source       source.ref: expected 'refs/tags/v*', found 'refs/heads/main'"))
    }
}
