// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import StrictJSON

/// `cupel doctor`: what this machine can do, and how to get what is missing.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what this machine can do, and how to get what is missing.",
        discussion: """
            EXAMPLES:
              cupel doctor
              cupel doctor --json
              cupel doctor --config /etc/cupel/cupel.toml

            It looks at this machine as 'cupel serve' would, with the settings of the file, or of
            CUPEL_CONFIG, and of the environment. Where there is KVM, it starts a guest for a moment.

            Exits with 0 where projects can be built here, confined; with 1 where something for that is missing.
            """)

    @Option(help: ArgumentHelp("A file with settings, in TOML. (default: CUPEL_CONFIG)", valueName: "file"))
    var config: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        var checks: [HostCheck] = []
        for look in HostCheck.all(try ServerSettings.load(file: config)) {
            for check in await look() {
                if !json { Console.print(check.text(colour: Console.usesColour(1))) }
                checks.append(check)
            }
        }
        let canBuild = !checks.contains { $0.state == .missing }
        if json {
            Console.print(["canBuild": .bool(canBuild), "checks": .array(checks.map(\.json))])
        } else {
            Console.print(canBuild ? "\nprojects can be built here" : "\nprojects cannot be built here yet")
        }
        if !canBuild { throw ExitCode(1) }
    }
}
