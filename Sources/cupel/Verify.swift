// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser

/// `cupel verify`: does this bundle prove these artifacts?
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a bundle: evidence, provenance, artifacts.",
        discussion: """
            EXAMPLES:
              cupel verify result/project --nonce 00ff17…
              cupel verify project.tar.gz --allow-software --json
              cupel verify snp/project tdx/project --policy policy.yaml

            EXIT CODES:
              0  verified: every check passed
              1  checked and refused
              2  could not check: unreadable, unsupported, wrong usage
            """)

    @Argument(
        help: ArgumentHelp(
            "A bundle: its folder, or its tarball; several are verified together.", valueName: "dir | tarball"))
    var bundles: [String]

    @OptionGroup var policyOptions: PolicyOptions

    @OptionGroup var summaryOptions: SummaryOptions

    @Flag(help: "Print the report as one JSON object.")
    var json = false

    func run() async throws {
        let verification = BundleVerification(
            policy: try policyOptions.verificationPolicy(), summary: summaryOptions, options: policyOptions.changes,
            json: json, collateral: { _ in (CollateralSet(), false) })
        try await verification.run(bundles)
    }
}
