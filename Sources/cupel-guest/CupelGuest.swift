// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Pipeline

/// `cupel-guest`: the agent within a machine: one build over the public API, then power off.
@main
struct CupelGuest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cupel-guest",
        abstract: "Build once, as the only program of a machine that was started for it.",
        discussion: """
            The init script of a guest image starts it, and powers the machine off when it ends. It takes the disk and
            the network of the machine it runs in: do not run it elsewhere.
            """, version: CupelVersion.text)

    /// A machine whose agent cannot begin has nothing else to do: one line for whoever reads the console, and the end.
    func run() async {
        do {
            try await GuestAssembly.run()
        } catch {
            MachineConsole.say("error: \(error)")
            Foundation.exit(1)
        }
    }
}
