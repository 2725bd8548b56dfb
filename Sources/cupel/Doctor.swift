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

            Exits with 0 where projects can be built here, confined; with 1 where something for that is missing.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        var checks: [HostCheck] = []
        for check in HostCheck.all {
            let result = await check()
            if !json { Console.print(result.text(colour: Console.usesColour(1))) }
            checks.append(result)
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
