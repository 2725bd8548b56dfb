// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `cupel-guest`: the agent within a machine: one build over the public API, then power off.
@main
struct Guest: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cupel-guest")
}
