// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `cupel measurements`: signed lists of the images that somebody vouches for.
struct Measurements: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and read signed lists of known images.",
        discussion: """
            EXAMPLES:
              openssl genpkey -algorithm ed25519 -out key.pem
              openssl pkey -in key.pem -pubout -out key.pub.pem
              cupel measurements sign images.yaml --key key.pem --output images.signed.json
              cupel measurements show images.signed.json --key key.pub.pem
              cupel verify result/project --measurements images.signed.json --measurements-key key.pub.pem
            """,
        subcommands: [MeasurementsSign.self, MeasurementsShow.self])
}
