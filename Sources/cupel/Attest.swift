// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Attesters
import ByteCoding
import Evidence
import Foundation

/// `cupel attest`: has this machine vouch for bytes of the caller's.
struct Attest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have this machine's hardware vouch for bytes of yours, and print the evidence.",
        discussion: """
            EXAMPLES:
              cupel attest --report-data $(sha256sum provenance.json | cut -c -64)
              cupel attest --report-data 00ff --platform vtpm --output evidence.json
              cupel verify --evidence evidence.json --report-data 00ff

            SEV-SNP and TDX sign 64 bytes, so zeros follow yours; a TPM signs yours as they are. What was
            asked is said on standard error. The 'software' platform, which proves nothing about the
            machine, signs with a key that is made for this once.
            """)

    @Option(help: ArgumentHelp("1 to 64 bytes that the evidence shall carry.", valueName: "hex"))
    var reportData: String

    @Option(
        help: ArgumentHelp(
            "Who shall vouch: auto, snp, tdx, az-snp, az-tdx, vtpm or software. (default: auto)", valueName: "platform"),
        transform: Self.choice)
    var platform: AttesterChoice?

    @Option(
        help: ArgumentHelp(
            "How the TPM is reached, as its software stack spells it. (default: device:/dev/tpmrm0)", valueName: "tcti")
    )
    var tcti: String?

    @Option(help: ArgumentHelp("Write the evidence to this file.", valueName: "file"))
    var output: String?

    func run() async throws {
        let request = try AttestationRequest(bytes: try bytes())
        let found = try attester()
        Console.note("asking \(found.source) for evidence of '\(found.attester.platform)'")
        let evidence = try found.attester.attest(request).canonicalBytes
        guard let output else { return Console.print(String(decoding: evidence, as: UTF8.self)) }
        try InputFile.write(evidence, to: output)
    }

    private static func choice(_ name: String) throws -> AttesterChoice {
        guard let choice = AttesterChoice(rawValue: name) else {
            let known = AttesterChoice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--platform must be one of \(known)")
        }
        return choice
    }

    private func bytes() throws -> [UInt8] {
        do {
            return try Hex.decode(reportData)
        } catch {
            throw CommandFailure("--report-data must be hexadecimal: \(error)")
        }
    }

    private func attester() throws -> HostAttesters.Found {
        let platform = platform ?? .automatic
        guard platform == .software else { return try platform.hardware(tcti: tcti) }
        return try platform.builder { () throws(AttesterError) in
            try SoftwareAttester(privateKey: SoftwareAttester.generateKey())
        }
    }
}
