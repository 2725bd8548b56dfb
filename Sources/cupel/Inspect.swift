// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import StrictJSON
import Verification

/// `cupel inspect`: shows what a bundle says, and judges nothing.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a bundle's provenance and evidence say; check nothing.",
        discussion: """
            EXAMPLES:
              cupel inspect result/project
              cupel inspect project.tar.gz --json | jq .provenance.subject

            Whoever made a bundle wrote what is in it: 'cupel verify' says whether it holds.
            """)

    @Argument(help: ArgumentHelp("A bundle: its folder, or its tarball.", valueName: "dir | tarball"))
    var bundle: String

    @Flag(help: "Print one JSON object: provenance and evidence.")
    var json = false

    func run() async throws {
        let contents = try BundleReader.read(bundle)
        let provenance = try JSONValue(parsing: contents.provenance)
        let evidence = try JSONValue(parsing: contents.evidence)
        if json {
            Console.print(["provenance": provenance, "evidence": evidence])
        } else {
            Console.print(BundleDescription(provenance: provenance, evidence: evidence).text)
        }
    }
}
