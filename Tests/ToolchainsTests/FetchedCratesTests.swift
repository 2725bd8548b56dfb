// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Testing
import Toolchains

/// `CargoToolchain.verifyFetched`: what stands in Cargo's home after the fetch phase.
@Suite struct FetchedCratesTests {
    private static let crate = "the crate"
    private static let cache = "dependencies/registry/cache/index.crates.io-1"

    private struct Fetched {
        let project: TestProject
        let toolchain: CargoToolchain

        func verify() throws { try toolchain.verifyFetched(in: project.workspace()) }
    }

    private func fetched(_ lockfile: String) throws -> Fetched {
        let project = try TestProject(["source/Cargo.toml": "", "source/Cargo.lock": lockfile])
        let rust = try TestRust()
        var toolchain = try CargoToolchain(Project(sourceRoot: project.root + "/source"), places: rust.places)
        _ = try toolchain.lock()
        return Fetched(project: project, toolchain: toolchain)
    }

    private func registry() throws -> Fetched {
        let checksum = Digest256(of: Array(Self.crate.utf8)).hex
        let fetched = try fetched(LockTests.lockfile(source: LockTests.cratesIO, checksum: checksum))
        try fetched.project.write(Self.cache + "/dep-1.0.0.crate", Self.crate)
        try fetched.project.write("dependencies/registry/src/index.crates.io-1/dep-1.0.0/Cargo.toml", "")
        return fetched
    }

    @Test func downloadsThatAreTheLockedOnesPass() throws {
        try registry().verify()
    }

    @Test(arguments: ["changed", "missing", "added", "unpacked", "link", "changed in a second registry"])
    func everyDifferenceIsRefused(_ change: String) throws {
        let fetched = try registry()
        switch change {
        case "changed": try fetched.project.write(Self.cache + "/dep-1.0.0.crate", "another crate")
        case "missing": try fetched.project.remove(Self.cache + "/dep-1.0.0.crate")
        case "added": try fetched.project.write(Self.cache + "/more-1.0.0.crate", "x")
        case "unpacked":
            try fetched.project.write("dependencies/registry/src/index.crates.io-1/more-1.0.0/Cargo.toml", "")
        case "link":
            try fetched.project.remove(Self.cache + "/dep-1.0.0.crate")
            try fetched.project.write("elsewhere", Self.crate)
            try fetched.project.link(Self.cache + "/dep-1.0.0.crate", to: fetched.project.root + "/elsewhere")
        default: try fetched.project.write("dependencies/registry/cache/other/dep-1.0.0.crate", "another crate")
        }
        #expect(failureKind { try fetched.verify() } == .inputVerification)
    }

    private static let checkout = "dependencies/git/checkouts/r-0123/0f0f0f0/.git"

    static let heads: [[String: String]] = [
        [".git/HEAD": LockTests.commit + "\n"],
        [".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": LockTests.commit + "\n"],
        [
            ".git/HEAD": "ref: refs/heads/main\n",
            ".git/packed-refs": "# pack-refs\n\(LockTests.commit) refs/heads/main\n",
        ],
    ]

    @Test(arguments: heads)
    func aCheckoutAtTheLockedCommitPasses(_ files: [String: String]) throws {
        let fetched = try fetched(LockTests.lockfile(source: "git+https://git.example/r#\(LockTests.commit)"))
        for (name, text) in files { try fetched.project.write("dependencies/git/checkouts/r-0/0f0f0f0/" + name, text) }
        try fetched.verify()
        try fetched.project.write("dependencies/git/checkouts/r-0/1111111/.git/HEAD", String(repeating: "1", count: 40))
        #expect(failureKind { try fetched.verify() } == .inputVerification)
    }

    @Test(arguments: ["", "ref: refs/../../x", "ref: refs/heads/none", String(repeating: "1", count: 40)])
    func otherCheckoutsAreRefused(_ head: String) throws {
        let fetched = try fetched(LockTests.lockfile(source: "git+https://git.example/r#\(LockTests.commit)"))
        #expect(failureKind { try fetched.verify() } == .inputVerification)
        try fetched.project.write(Self.checkout + "/HEAD", head)
        #expect(failureKind { try fetched.verify() } == .inputVerification)
    }

    static let failures: [(String, BuildFailure.Kind)] = [
        ("error: cannot update the lock file Cargo.lock because --locked was passed", BuildFailure.Kind.lockfile),
        ("error: the lock file /x/Cargo.lock needs to be updated but --locked was passed", .lockfile),
        ("error: failed to parse lock file at: /x/Cargo.lock", .lockfile),
        ("error: failed to verify the checksum of `dep v1.0.0`", .inputVerification),
        ("error: failed to parse manifest at `/x/Cargo.toml`", .build),
        ("error: failed to get `dep` as a dependency", .source),
        ("", .source),
    ]

    @Test(arguments: failures)
    func fetchFailuresAreToldApart(_ line: String, _ kind: BuildFailure.Kind) throws {
        let fetched = try registry()
        let failure = fetched.toolchain.fetchFailure(status: 101, output: ["    Updating index", line])
        #expect(failure.kind == kind)
    }
}
