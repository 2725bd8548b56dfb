// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Evidence
import Foundation
import Inspection
import StrictJSON
import Verification

/// `cupel inspect`: shows what a bundle, or a file of evidence, says; judges nothing.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a bundle, or a file of evidence, says; check nothing.",
        discussion: """
            EXAMPLES:
              cupel inspect result/project
              cupel inspect project.tar.gz --json | jq .provenance.subject
              cupel inspect report.bin
              cupel inspect quote.bin --json | jq .fields.body.MRTD

            A file is recognised by its content: evidence.json, SNP reports and certificate tables, Intel
            quotes, Azure's evidence and HCL reports, TPM quotes, signatures and keys, event logs, X.509
            certificates and revocation lists, Intel's collateral.

            Whoever made a file wrote what is in it: 'cupel verify' says whether it holds.
            """)

    @Argument(
        help: ArgumentHelp(
            "A bundle, its folder or its tarball; or a file of evidence.", valueName: "bundle | file"))
    var path: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        switch try Place(path) {
        case .bundle: try showBundle()
        case .evidence: try showEvidence(try EvidenceReader.read(path))
        }
    }

    /// What lies at a path: files whose first bytes are gzip's are tarballs.
    private enum Place {
        case bundle, evidence

        init(_ path: String) throws {
            var status = stat()
            guard path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                let head = path == "-" ? nil : FileHandle(forReadingAtPath: path)?.readData(ofLength: 2)
                self = head == Data([0x1F, 0x8B]) ? .bundle : .evidence
                return
            }
            self = EvidenceReader.isReport(folder: path) ? .evidence : .bundle
        }
    }

    private func showBundle() throws {
        let contents = try BundleReader.read(path)
        let provenance = try JSONValue(parsing: contents.provenance)
        let evidence = try JSONValue(parsing: contents.evidence)
        let decoded = try InspectedFile(recognising: contents.evidence)
        if json {
            Console.print(["provenance": provenance, "evidence": evidence, "decoded": decoded?.json ?? .null])
        } else {
            Console.print(BundleDescription(provenance: provenance, evidence: evidence, decoded: decoded).text)
        }
        if decoded?.isMalformed == true { throw ExitCode(2) }
    }

    private func showEvidence(_ bytes: [UInt8]) throws {
        guard let file = try InspectedFile(recognising: bytes) else {
            throw CommandFailure(
                "\(Console.plain(path)) is no evidence that cupel knows (\(bytes.count) bytes)",
                hint: "tried: \(InspectedFile.tried.joined(separator: ", "))")
        }
        if json {
            Console.print(file.json)
        } else {
            Console.print("\(file.format), \(file.size) bytes\n\n" + FieldTable.text(file.fields))
            Console.print("\nthis is what the file says; 'cupel verify --evidence' checks it")
        }
        if file.isMalformed { throw ExitCode(2) }
    }
}
