// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Collateral
import Evidence
import Verification

/// `cupel verify`: does this bundle prove these artifacts? And: is this evidence genuine?
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a bundle: evidence, provenance, artifacts. Or evidence alone.",
        discussion: """
            EXAMPLES:
              cupel verify result/project --nonce 00ff17…
              cupel verify project.tar.gz --allow-software --json
              cupel verify snp/project tdx/project --policy policy.yaml
              cupel verify result/project --input-proof serde.json
              cupel verify result/project --events saved.sse
              cupel verify --evidence report.bin --collateral vcek.der --report-data 9f86d0…
              cupel verify --evidence quote.bin --collateral collateral.json --at 2026-03-17T10:00:00Z

            EXIT CODES:
              0  verified: every check passed
              1  checked and refused; 'genuine hardware, unknown image' too
              2  could not check: unreadable, unsupported, wrong usage
            """)

    @Argument(
        help: ArgumentHelp(
            "A bundle: its folder, or its tarball; several are verified together.", valueName: "dir | tarball"))
    var bundles: [String] = []

    @Option(
        help: ArgumentHelp(
            "Evidence without a bundle: a file, recognised by its content, or a folder of configfs-tsm.",
            valueName: "file"),
        completion: .file())
    var evidence: String?

    @Option(
        help: ArgumentHelp(
            "With --evidence: all bytes that it must have been signed for, zeros included.", valueName: "hex"))
    var reportData: String?

    @Option(
        help: ArgumentHelp(
            "The events that you saw of the build, as the stream was saved: they must be those of this build.",
            valueName: "file"),
        completion: .file())
    var events: String?

    @OptionGroup var inputProofOptions: InputProofOptions

    @OptionGroup var policyOptions: PolicyOptions

    @OptionGroup var collateralOptions: CollateralOptions

    @OptionGroup var summaryOptions: SummaryOptions

    @Flag(help: "Print the report as one JSON object.")
    var json = false

    func validate() throws {
        if inputProofOptions.inputMerkleRoot != nil { return try validateProofs() }
        switch (bundles.isEmpty, evidence) {
        case (true, nil): throw ValidationError("name a bundle, or a file of evidence with --evidence")
        case (false, .some): throw ValidationError("name a bundle or --evidence, not both")
        case (false, nil):
            guard reportData == nil else {
                throw ValidationError("--report-data is for --evidence: a bundle's is that of its provenance")
            }
            guard bundles.count == 1 || events == nil else {
                throw ValidationError("--events is for one bundle: each build has events of its own")
            }
            guard bundles.count == 1 || inputProofOptions.inputProof.isEmpty else {
                throw ValidationError("--input-proof is for one bundle: each has a Merkle root of its own")
            }
        case (true, .some):
            guard summaryOptions.vsa == nil else {
                throw ValidationError("--vsa sums up a bundle: bare evidence names no artifact")
            }
            guard inputProofOptions.inputProof.isEmpty else {
                throw ValidationError("--input-proof is for a bundle, or for --input-merkle-root")
            }
            guard events == nil else {
                throw ValidationError("--events is for a bundle: bare evidence names no log")
            }
        }
    }

    /// Without a bundle, proofs are all that is looked at.
    private func validateProofs() throws {
        guard !inputProofOptions.inputProof.isEmpty else {
            throw ValidationError("--input-merkle-root needs a proof: --input-proof")
        }
        guard bundles.isEmpty, evidence == nil, events == nil else {
            throw ValidationError("--input-merkle-root is for proofs alone: a bundle's provenance names its own")
        }
        guard reportData == nil, summaryOptions.vsa == nil, policyOptions.isEmpty, collateralOptions.changes.isEmpty
        else {
            throw ValidationError("proofs alone have no provenance, no evidence and no artifact to judge by a policy")
        }
    }

    func run() async throws {
        if inputProofOptions.inputMerkleRoot != nil { return try inputProofOptions.run(json: json) }
        guard let evidence else { return try await verifyBundles() }
        try await EvidenceCommand(
            path: evidence, reportData: reportData, policyOptions: policyOptions, collateralOptions: collateralOptions,
            json: json
        ).run()
    }

    private func verifyBundles() async throws {
        var policy = try collateralOptions.timed(try policyOptions.verificationPolicy())
        policy.inputProofs = try inputProofOptions.files()
        policy.seenEvents = try events.map { try EventsFile.read($0) }
        let isFresh = policy.nonce != nil || !policy.acceptsBuildTime
        let verification = BundleVerification(
            policy: policy, summary: summaryOptions,
            options: policyOptions.changes + eventsChange + inputProofOptions.changes + collateralOptions.changes,
            json: json
        ) { contents in
            let envelopes = (try? EvidenceEnvelope(parsing: contents.evidence)).map { [$0] } ?? []
            let gathered = try await collateralOptions.collateral(
                for: envelopes, bundled: contents.collateral, isFresh: isFresh)
            return (gathered.set, try collateralOptions.time(for: gathered, isFresh: isFresh) == .build)
        }
        try await verification.run(bundles)
    }

    private var eventsChange: [String] { events.map { ["--events \($0)"] } ?? [] }
}

extension CollateralOptions {
    /// The policy with the time that `--at` gives.
    func timed(_ policy: VerificationPolicy) throws -> VerificationPolicy {
        var policy = policy
        switch try chosenMoment() {
        case nil, .now: policy.timeSource = .clock
        case .given(let seconds): (policy.now, policy.timeSource) = (seconds, .given)
        case .build: policy.timeSource = .build
        }
        return policy
    }
}
