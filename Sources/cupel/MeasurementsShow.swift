// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import ByteCoding
import StrictJSON
import Verification

/// `cupel measurements show`: what a signed list says, and whether a key that is named signed it.
struct MeasurementsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a signed list of images, and check its signature where a key is named.",
        discussion: """
            EXIT CODES:
              0  shown, and signed by a key that was named, where one was
              1  shown, and not signed by such a key, or out of date
              2  could not be read
            """)

    @Argument(help: ArgumentHelp("The signed list; - is standard input.", valueName: "list"), completion: .file())
    var list: String

    @Option(
        help: ArgumentHelp("A key that may have signed it; repeat it for more.", valueName: "file | hex"),
        completion: .file())
    var key: [String] = []

    @Flag(help: "Print the list as one JSON object.")
    var json = false

    func run() async throws {
        let bytes = try InputFile.read(list)
        let (envelope, payload) = try PolicyFiles.inWords(list) {
            let envelope = try DSSEEnvelope(parsing: bytes)
            return (envelope, try MeasurementList(payload: envelope.payload))
        }
        if json {
            Console.print(try JSONValue(parsing: envelope.payload))
        } else {
            Console.print(Self.text(payload, envelope))
        }
        guard !key.isEmpty else {
            return Console.warn("the signature was not checked: no --key was given")
        }
        do {
            _ = try PolicyFiles.images([list], keys: key, present: Clock.now)
            Console.note("signed by a key that was named")
        } catch let failure as CommandFailure {
            throw CommandFailure(failure.message, hint: failure.hint, status: 1)
        }
    }

    private static func text(_ list: MeasurementList, _ envelope: DSSEEnvelope) -> String {
        var lines = ["issued   \(list.issued)", "expires  \(list.expires ?? "never")"]
        for signature in envelope.signatures {
            lines.append("signed   by a key that calls itself \(Console.plain(signature.keyID ?? "nothing"))")
        }
        for image in list.images {
            lines += ["", Console.plain("\(image.name) \(image.version), \(image.platform.rawValue)")]
            for (name, value) in image.registers.sorted(by: { $0.key < $1.key }) {
                lines.append("  \(name)  \(Hex.encode(value))")
            }
        }
        return lines.joined(separator: "\n")
    }
}
