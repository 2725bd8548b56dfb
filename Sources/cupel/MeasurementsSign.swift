// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import StrictJSON
import Verification

/// `cupel measurements sign`: makes a signed list of a list that somebody wrote.
struct MeasurementsSign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign a list of images.",
        discussion: """
            The list is YAML or JSON: 'version: 1', 'images' and, if you like, 'expires'; docs/policy.md shows one.
            The key is PEM, Ed25519 or ECDSA P-256, as OpenSSL makes it. What is written is a DSSE envelope.
            """)

    @Argument(help: ArgumentHelp("The list; - is standard input.", valueName: "list"), completion: .file())
    var list: String

    @Option(help: ArgumentHelp("The private key, PEM.", valueName: "file"), completion: .file())
    var key: String

    @Option(help: ArgumentHelp("Where to write the signed list.", valueName: "file"), completion: .file())
    var output: String

    func run() async throws {
        let key = try ListSigningKey(pem: InputFile.read(key))
        let images = try PolicyFiles.inWords(list) {
            try MeasurementList(text: InputFile.read(list), issued: Clock.nowText)
        }
        try InputFile.write(key.sign(images).json.canonicalBytes, to: output)
        Console.note("\(output): \(images.images.count) image(s), signed by the \(try key.publicKey)")
    }
}
