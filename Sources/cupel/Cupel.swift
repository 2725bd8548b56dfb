// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Pipeline

/// The root command. Every subcommand is in a file of its own.
///
/// Exit codes: 0 done, verified; 1 checked and refused, or a build that failed; 2 could not do it: unreadable,
/// unreachable, wrong usage; 130 interrupted.
@main
struct Cupel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cupel",
        abstract: "Build software in isolation, and prove what was built from what.",
        discussion: """
            EXAMPLES:
              cupel build .                                   build this project here, check the result
              cupel build . --server http://127.0.0.1:8080    have a server build it
              cupel build https://github.com/you/project --ref v1.2.3
              cupel verify result/project --allow-software    check what you were given
              cupel inspect result/project                    see what it says
              cupel prove result/project --dependency pkg:cargo/serde
              cupel serve                                     build for others
              cupel attest --report-data 00ff                 have this machine vouch for bytes
              cupel doctor                                    see what this machine can do
            """,
        version: "cupel \(CupelVersion.text)",
        subcommands: [
            Build.self, Verify.self, Inspect.self, Prove.self, Attest.self, CollateralCommand.self, Measurements.self,
            Image.self, Serve.self, Doctor.self,
        ])

    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            Foundation.exit(report(error))
        }
    }

    private static func run(_ arguments: [String]) async throws {
        if arguments.first == "verify", let command = Verify(usual: Array(arguments.dropFirst())) {
            return try await command.run()
        }
        if arguments.starts(with: ["image", "measure"]),
            let command = Image.Measure(usual: Array(arguments.dropFirst(2)))
        {
            return try await command.run()
        }
        var command = try parseAsRoot(arguments)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    /// Tells the user what happened and returns the exit code.
    private static func report(_ error: any Error) -> Int32 {
        if let status = error as? ExitCode { return status.rawValue }
        if exitCode(for: error) == .success {
            Console.print(fullMessage(for: error))
            return 0
        }
        let failure = CommandFailure(error)
        failure.show(asJSON: CommandLine.arguments.contains("--json"))
        return failure.status
    }
}
