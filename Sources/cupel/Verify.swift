// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Builds
import Verification

/// `cupel verify`: does this bundle prove these artifacts?
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a bundle: evidence, provenance, artifacts.",
        discussion: """
            EXAMPLES:
              cupel verify result/project --nonce 00ff17…
              cupel verify project.tar.gz --allow-software --json

            EXIT CODES:
              0  verified: every check passed
              1  checked and refused
              2  could not check: unreadable, unsupported, wrong usage
            """)

    @Argument(help: ArgumentHelp("A bundle: its folder, or its tarball.", valueName: "dir | tarball"))
    var bundle: String

    @Option(
        help: ArgumentHelp(
            "The nonce that the evidence must carry. (default: freshness is not checked)", valueName: "hex"))
    var nonce: String?

    @Flag(help: "Accept the software platform, which proves nothing about the machine.")
    var allowSoftware = false

    @Flag(help: "Print the report as one JSON object.")
    var json = false

    func run() async throws {
        let nonce = try nonce.map { try Nonce(hex: $0) }
        let report = Verdicts.check(try BundleReader.read(bundle), nonce: nonce, acceptSoftware: allowSoftware)
        if json {
            Console.print(report.json)
        } else {
            Console.write(report.text(colour: Console.usesColour(1)), to: 1)
        }
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }
}
