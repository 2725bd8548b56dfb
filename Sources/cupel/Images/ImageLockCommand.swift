// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ByteCoding
import Machines

extension Image {
    /// `cupel image lock`: makes a list of packages.
    struct Lock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a list of the packages that Debian has today, for 'cupel image build'.",
            discussion: """
                EXAMPLES:
                  cupel image lock --output packages.txt
                  cupel image lock --output packages.txt --add pkg-config --add libssl-dev
                  sudo cupel image build --output image --packages packages.txt

                apt says which packages there are, as this machine is set to get them, and checks what it fetches.
                """)

        @Option(help: ArgumentHelp("Write the list to this file.", valueName: "file"), completion: .file())
        var output: String

        @Option(
            name: .customLong("add"),
            help: ArgumentHelp("One more package for the guest's root. May be repeated.", valueName: "package"))
        var added: [String] = []

        @Option(
            help: ArgumentHelp(
                "The kernel's package, or one that depends on the newest of its series.", valueName: "package"))
        var kernel = GuestPackages.kernel

        func run() async throws {
            let (added, kernel) = (added, kernel)
            do {
                let list = try await cancellingOnInterrupt {
                    try await PackageLock.resolve(
                        adding: added, kernel: kernel, temporaryFolder: Image.temporaryFolder
                    ) { Console.note(Console.plain($0)) }
                }
                try InputFile.write(Array(list.text.utf8), to: output)
                Console.note("\(list.all.count) packages are in \(Console.plain(output))")
            } catch let error as ImageError {
                throw CommandFailure(error)
            }
        }
    }
}
