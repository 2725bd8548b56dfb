// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `cupel image`: the guest image, and what hardware will report of it.
struct Image: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the guest image, and compute what hardware will report of it.",
        subcommands: [Build.self, Lock.self, Measure.self])
}
