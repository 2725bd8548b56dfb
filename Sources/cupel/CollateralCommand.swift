// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Collateral
import Evidence
import Foundation
import StrictJSON

/// `cupel collateral`: the certificates and lists of the vendors that evidence is judged with.
struct CollateralCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collateral",
        abstract: "Get the vendors' certificates and lists for evidence, so that it can be checked without a network.",
        discussion: """
            EXAMPLES:
              cupel collateral fetch result/project           into the bundle's own collateral/
              cupel collateral fetch evidence.json --output collateral
              cupel collateral show collateral
            """,
        subcommands: [Fetch.self, Show.self])
}

extension CollateralCommand {
    /// `cupel collateral fetch`: gets all that appraisal can use.
    struct Fetch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch what evidence is judged with, into a folder.",
            discussion: """
                A bundle that has its collateral/ can be verified years later, without a network, as of when it
                was built: see docs/collateral.md.
                """)

        @Argument(
            help: ArgumentHelp(
                "A bundle's folder, or evidence: a file, recognised by its content.", valueName: "bundle | evidence"),
            completion: .file())
        var evidence: String

        @Option(
            help: ArgumentHelp("The folder to put it in. (default: the bundle's collateral/)", valueName: "dir"),
            completion: .directory)
        var output: String?

        @OptionGroup var vendors: VendorOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let isBundle = Self.isFolder(evidence) && !EvidenceReader.isReport(folder: evidence)
            guard let folder = output ?? (isBundle ? evidence + "/collateral" : nil) else {
                throw ValidationError("--output is needed where the evidence is not in a bundle's folder")
            }
            let envelope = try Self.envelope(isBundle ? evidence + "/evidence.json" : evidence)
            let gathered = try await CollateralFetcher.with(try vendors.configuration()) {
                try await CollateralGathering(scope: .everything).gather(for: [envelope], with: $0)
            }
            for sentence in gathered.missing { Console.warn(Console.plain(sentence)) }
            guard !gathered.set.isEmpty else {
                throw CommandFailure(
                    "there is no collateral for this evidence of the platform '\(Console.plain(envelope.platform))'",
                    hint: "'software' needs none, and what does not decode cannot say what it needs", status: 1)
            }
            try CollateralFolder.write(gathered.set, to: folder)
            CollateralListing(set: gathered.set).print(folder, asJSON: json)
        }

        private static func envelope(_ path: String) throws -> EvidenceEnvelope {
            let bytes = try EvidenceReader.read(path)
            guard let format = EvidenceFormat(recognising: bytes),
                let envelope = try EvidenceFile(decoding: bytes, as: format).envelope
            else {
                throw CommandFailure(
                    "\(Console.plain(path)) is no evidence that could be verified alone",
                    hint: "'cupel inspect' shows what it is")
            }
            return envelope
        }

        private static func isFolder(_ path: String) -> Bool {
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    /// `cupel collateral show`: what is there, and how long it is good.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a file or folder of collateral holds, and from when to when it is good; check nothing."
        )

        @Argument(help: ArgumentHelp("A file or a folder of collateral.", valueName: "file | dir"), completion: .file())
        var place: String

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let set = try CollateralSet(files: CollateralFiles.read([place]))
            CollateralListing(set: set).print(place, asJSON: json)
        }
    }
}

/// A set of collateral as text and as JSON.
struct CollateralListing {
    let set: CollateralSet

    func print(_ place: String, asJSON: Bool) {
        guard !asJSON else {
            return Console.print(["folder": .string(place), "collateral": .array(set.items.map(json))])
        }
        let now = Clock.now
        let lines = set.items.map { "  \(Console.plain($0.name))\n    \(dates($0, now))" }
        Console.print("\(Console.plain(place)): \(set.items.count) pieces\n" + lines.joined(separator: "\n"))
    }

    private func dates(_ item: CollateralItem, _ now: Int64) -> String {
        guard let validity = item.validity else { return "dates not known" }
        let state = validity.contains(now) ? "" : validity.notBefore > now ? ", not yet good" : ", no longer good"
        return "good from \(Self.text(validity.notBefore)) to \(Self.text(validity.notAfter))\(state)"
    }

    private func json(_ item: CollateralItem) -> JSONValue {
        var members: [String: JSONValue] = ["name": .string(item.name)]
        if let validity = item.validity {
            members["notBefore"] = .string(Self.text(validity.notBefore))
            members["notAfter"] = .string(Self.text(validity.notAfter))
        }
        return .object(members)
    }

    private static func text(_ time: Int64) -> String { CivilTime(secondsSince1970: time).rfc3339 }
}
