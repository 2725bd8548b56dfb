// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation

/// Debian's packages, from where apt of this machine is set to get them. What is installed here, and what apt knows
/// already, does not count and stays as it is: apt works in a folder of ours.
package struct AptPackages {
    package struct Candidate: Hashable {
        package let name: String
        package let version: String
        package let architecture: String

        package init(name: String, version: String, architecture: String) {
            self.name = name
            self.version = version
            self.architecture = architecture
        }
    }

    private let programs: ImagePrograms
    private let command: [String]
    /// What apt said when it asked its sources, for the message where a package is missing.
    private let unasked: String

    /// Reads which packages there are.
    init(_ programs: ImagePrograms, folder: String) throws(ImageError) {
        self.programs = programs
        try ImageFolder.make("\(folder)/state/lists/partial")
        try ImageFolder.make("\(folder)/cache/archives/partial")
        try ImageFile.write([], to: "\(folder)/status")
        let options = [
            "Dir::State=\(folder)/state", "Dir::State::status=\(folder)/status", "Dir::Cache=\(folder)/cache",
            "Acquire::Languages=none", "APT::Sandbox::User=root", "APT::Install-Recommends=false",
            "APT::Install-Suggests=false", "APT::Architecture=amd64", "APT::Architectures=amd64", "Acquire::Retries=3",
        ]
        command =
            try [ImagePrograms.find("apt-get", package: "apt"), "--quiet=2"] + options.flatMap { ["--option", $0] }
        // One of several sources may fail: what it had is missed later, by name. apt may end with 0 even where all do.
        let answer = try programs.answer(command + ["update"])
        unasked = ImagePrograms.complaint(answer.errors)
    }

    /// What installing these, and all that Debian calls essential, would install.
    func resolve(_ names: [String]) throws(ImageError) -> [Candidate] {
        let answer = try programs.answer(
            command + ["--quiet=1", "--simulate", "install", "?essential"] + names)
        guard answer.status == 0 else {
            throw ImageError(
                .package,
                "apt-get install ended with \(answer.status)\(ImagePrograms.complaint(answer.errors))\(excuse)")
        }
        return try Self.candidates(answer.text)
    }

    /// Reads lines such as "Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64]) []".
    package static func candidates(_ output: String) throws(ImageError) -> [Candidate] {
        var found: [Candidate] = []
        for line in output.split(whereSeparator: \.isNewline) where line.hasPrefix("Inst ") {
            let words = line.split(separator: " ")
            guard words.count >= 4, words[2].hasPrefix("("),
                let architecture = words.first(where: { $0.hasPrefix("[") && $0.hasSuffix("])") })
            else {
                throw ImageError(
                    .program, "apt-get answered '\(line)', expected a package, its version and architecture")
            }
            found.append(
                Candidate(
                    name: String(words[1].prefix { $0 != ":" }), version: String(words[2].dropFirst()),
                    architecture: String(architecture.dropFirst().dropLast(2))))
        }
        return found
    }

    /// Fetches archives into a folder. Throws with the names of those that there are no more.
    func fetch(_ packages: [(name: String, version: String)], into folder: String) throws(ImageError) {
        let answer = try programs.answer(
            command + ["download"] + packages.map { "\($0.name)=\($0.version)" }, in: folder)
        guard answer.status != 0 else { return }
        let vanished = packages.filter { Self.says(answer.errors, isMissing: $0.name) }
        guard !vanished.isEmpty else {
            throw ImageError(
                .package, "apt-get could not fetch the packages\(ImagePrograms.complaint(answer.errors))\(excuse)",
                hint: Self.remedy)
        }
        let names = vanished.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        throw ImageError(
            .package, "apt finds no archive any more of what the list pins: \(names)\(excuse)", hint: Self.remedy)
    }

    private var excuse: String { unasked.isEmpty ? "" : "; apt-get update had said\(unasked)" }

    static let remedy =
        "name a folder that has the archives with --package-folder, or make a new list with 'cupel image lock' and "
        + "name that with --packages"

    /// "E: Version '1.2' for 'name' was not found", "E: Unable to locate package name", and where only the archive is
    /// gone: "E: Failed to fetch http://…/name_1.2_amd64.deb  404  Not Found".
    package static func says(_ errors: String, isMissing name: String) -> Bool {
        errors.split(whereSeparator: \.isNewline).contains { line in
            line.hasPrefix("E: ")
                && (line.contains(" for '\(name)' was not found") || line.hasSuffix("locate package \(name)")
                    || line.contains("Failed to fetch ") && line.contains("/\(name)_") && line.contains(" 404 "))
        }
    }
}
