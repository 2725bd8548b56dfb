// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildServer
import ByteCoding
import Foundation
import Guest
import Machines
import Measurements
import Pipeline

extension Image {
    /// `cupel image build`: makes an image's folder.
    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the guest image.",
            discussion: """
                EXAMPLES:
                  sudo cupel image build --output image
                  sudo cupel image build --output image --settings guest.toml --save-packages packages
                  sudo cupel image build --output image --package-folder packages

                It takes root, mmdebstrap, and about 3 GB below $TMPDIR (/var/tmp where that is not set). The same packages,
                program, settings and words make the same bytes, on any machine: see docs/machines.md.
                """)

        @Option(
            help: ArgumentHelp("The folder to make. It may not be there yet.", valueName: "dir"), completion: .directory
        )
        var output: String

        @Option(
            help: ArgumentHelp(
                "The program that builds in the machine. (default: cupel-guest beside this program)",
                valueName: "file"), completion: .file())
        var guest: String?

        @Option(
            help: ArgumentHelp("The settings of the guest. They are measured too. (default: none)", valueName: "file"),
            completion: .file())
        var settings: String?

        @Option(
            help: ArgumentHelp(
                "The packages to make it of: a list by 'cupel image lock'. (default: the list of this release)",
                valueName: "file"), completion: .file())
        var packages: String?

        @Option(
            help: ArgumentHelp(
                "Take the packages' archives from this folder, and fetch nothing.", valueName: "dir"),
            completion: .directory)
        var packageFolder: String?

        @Option(
            help: ArgumentHelp("Keep the packages' archives in this folder.", valueName: "dir"), completion: .directory)
        var savePackages: String?

        @Option(
            help: ArgumentHelp("Take this Debian package's kernel, not the list's.", valueName: "deb"),
            completion: .file(extensions: ["deb"]))
        var kernel: String?

        @Option(help: ArgumentHelp("More words for the kernel's command line.", valueName: "words"))
        var append = ""

        func run() async throws {
            guard append.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !append.contains("cupel.") else {
                throw ValidationError("--append takes printable ASCII, and no words of Cupel's own")
            }
            let recipe = try recipe()
            let output = output
            do {
                _ = try await cancellingOnInterrupt {
                    try await ImageBuild.run(recipe, output: output) { Console.note(Console.plain($0)) }
                }
            } catch let error as ImageError {
                throw CommandFailure(error)
            }
            let digest = try FileDigest.sha256(of: "\(output)/image.json")
            Console.print("\(digest.hex)  \(Console.plain(output))/image.json")
        }

        private func recipe() throws -> ImageRecipe {
            var recipe = ImageRecipe(
                version: CupelVersion.text, guest: try guest ?? Self.guestBesideThisProgram(),
                packages: try Image.packageList(packages), temporaryFolder: Image.temporaryFolder)
            recipe.packageFolder = packageFolder
            recipe.savedPackages = savePackages
            recipe.kernelPackage = kernel
            recipe.appendedWords = append
            if let settings { recipe.settings = try Self.read(settings: settings) }
            return recipe
        }

        private static func guestBesideThisProgram() throws -> String {
            let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(filePath: program).deletingLastPathComponent().appending(path: "cupel-guest").path
        }

        /// The settings' bytes, if a guest would take them.
        private static func read(settings path: String) throws -> [UInt8] {
            let bytes = try InputFile.read(path)
            try GuestSettings.check(Configuration.File(name: path, text: String(decoding: bytes, as: UTF8.self)))
            return bytes
        }
    }

    /// A list of packages; this release's where no file is named.
    static func packageList(_ path: String?) throws -> PackageList {
        do {
            guard let path else { return try GuestPackages.pinned() }
            return try PackageList(parsing: String(decoding: try InputFile.read(path), as: UTF8.self))
        } catch let error as ImageError {
            throw CommandFailure(error)
        }
    }

    /// For parts of images: some gigabytes, too much for a file system in memory.
    static var temporaryFolder: String { ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp" }
}

extension CommandFailure {
    init(_ error: ImageError) {
        self.init(Console.plain(error.message), hint: error.hint, status: error.code == .cancelled ? 130 : 2)
    }
}
