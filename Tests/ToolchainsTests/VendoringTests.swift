// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Toolchains

@Suite struct VendoringTests {
    private static let configuration =
        "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n"

    /// A project with one vendored crate, whose promises hold.
    private func project(
        checksum: String = LockTests.checksum, source: String = LockTests.cratesIO, configuration: String? = nil,
        package: JSONValue? = nil
    ) throws -> TestProject {
        let project = try TestProject([
            "Cargo.toml": "[package]\nname = \"app\"\n",
            "Cargo.lock": LockTests.lockfile(source: source, checksum: source.hasPrefix("git") ? nil : checksum),
            ".cargo/config.toml": configuration ?? Self.configuration,
            "vendor/dep/Cargo.toml": "[package]\nname = \"dep\"\nversion = \"1.0.0\"\n",
            "vendor/dep/src/lib.rs": "pub fn f() {}\n",
        ])
        let files: [String: JSONValue] = [
            "Cargo.toml": .string(try project.digest("vendor/dep/Cargo.toml")),
            "src/lib.rs": .string(try project.digest("vendor/dep/src/lib.rs")),
        ]
        let list: JSONValue = ["files": .object(files), "package": package ?? .string(checksum)]
        try project.write("vendor/dep/.cargo-checksum.json", list.canonicalBytes)
        return project
    }

    @Test func aVendoredCrateHasTheComputedDigestOfItsFiles() throws {
        let project = try project()
        let dependency = try #require(try LockTests.lock(project).dependencies.first)
        let lines = try ["Cargo.toml", "src/lib.rs"].map { "\(try project.digest("vendor/dep/" + $0))  \($0)\n" }
        #expect(dependency.digest == ["dirHash": Digest256(of: Array(lines.joined().utf8)).hex])
        #expect(dependency.annotations == ["vendored": true, "lockfileChecksum": .string(LockTests.checksum)])
        #expect(dependency.uri == "pkg:cargo/dep@1.0.0")
    }

    @Test func aVendoredCrateIsPinnedByItsFilesEvenWhereTheLockfileHasNoDigest() throws {
        let dependency = try #require(
            try LockTests.lock(project(checksum: "Could not get crate checksum")).dependencies.first)
        #expect(dependency.digest.keys.sorted() == ["dirHash"])
    }

    @Test func aVendoredGitPackageDoesNotClaimItsCommit() throws {
        let source = "git+https://git.example/r?branch=main"
        let configuration = """
            [source."\(source)"]
            git = "https://git.example/r"
            branch = "main"
            replace-with = "v"
            [source.v]
            directory = "vendor"
            """
        let project = try project(
            source: source + "#" + LockTests.commit, configuration: configuration, package: .null)
        let locked = try LockTests.lock(project)
        #expect(locked.dependencies.first?.digest.keys.sorted() == ["dirHash"])
        #expect(locked.hosts.isEmpty)
    }

    @Test(arguments: [
        "a changed file", "an added file", "a missing file", "a file that is a link", "no list",
        "a list that is no JSON",
        "another checksum", "no crate", "the crate twice", "an unreadable manifest", "another version",
    ])
    func everyDifferenceIsRefusedByTheCratesName(_ change: String) throws {
        let project = try project()
        let manifest = "[package]\nname = \"dep\"\nversion = \"1.0.0\"\n"
        switch change {
        case "a changed file": try project.write("vendor/dep/src/lib.rs", "pub fn f() { evil() }\n")
        case "an added file": try project.write("vendor/dep/build.rs", "fn main() {}")
        case "a missing file": try project.remove("vendor/dep/src/lib.rs")
        case "a file that is a link":
            try project.remove("vendor/dep/src/lib.rs")
            try project.link("vendor/dep/src/lib.rs", to: "../../../Cargo.toml")
        case "no list": try project.remove("vendor/dep/.cargo-checksum.json")
        case "a list that is no JSON": try project.write("vendor/dep/.cargo-checksum.json", "{")
        case "another checksum":
            try project.write(
                "Cargo.lock",
                LockTests.lockfile(source: LockTests.cratesIO, checksum: String(repeating: "cd", count: 32)))
        case "no crate": try project.remove("vendor/dep")
        case "the crate twice": try project.write("vendor/other/Cargo.toml", manifest)
        case "an unreadable manifest": try project.write("vendor/dep/Cargo.toml", "[package")
        default: try project.write("vendor/dep/Cargo.toml", manifest.replacing("1.0.0", with: "1.0.1"))
        }
        if change == "no crate" { try project.write("vendor/x", "") }
        let failure = try #require(failure { _ = try LockTests.lock(project) })
        #expect(failure.kind == .inputVerification)
        #expect(failure.message.contains("dep"))
    }

    @Test func replacementsInACircleAreRefused() throws {
        let circle = "[source.crates-io]\nreplace-with = \"a\"\n[source.a]\nreplace-with = \"crates-io\"\n"
        #expect(failureKind { _ = try LockTests.lock(project(configuration: circle)) } == .unsupportedToolchain)
        let nowhere = "[source.crates-io]\nreplace-with = \"a\"\n"
        #expect(failureKind { _ = try LockTests.lock(project(configuration: nowhere)) } == .unsupportedToolchain)
    }

    @Test func aMirrorIsContactedAtItsOwnHost() throws {
        let mirror =
            "[source.crates-io]\nreplace-with = \"m\"\n[source.m]\nregistry = \"sparse+https://mirror.example/i/\"\n"
        let locked = try LockTests.lock(project(configuration: mirror))
        #expect(locked.hosts.map(\.host) == ["mirror.example"])
        #expect(locked.dependencies.first?.digest == ["sha256": LockTests.checksum])
    }

    @Test func aLocalRegistryIsComparedWithTheLockfile() throws {
        let local = "[source.crates-io]\nreplace-with = \"l\"\n[source.l]\nlocal-registry = \"local\"\n"
        let checksum = Digest256(of: Array("crate".utf8)).hex
        let project = try project(checksum: checksum, configuration: local)
        try project.write("local/dep-1.0.0.crate", "crate")
        #expect(try LockTests.lock(project).dependencies.first?.digest == ["sha256": checksum])
        try project.write("local/dep-1.0.0.crate", "other")
        #expect(failureKind { _ = try LockTests.lock(project) } == .inputVerification)
        try project.remove("local/dep-1.0.0.crate")
        #expect(failureKind { _ = try LockTests.lock(project) } == .inputVerification)
    }

    @Test(.enabled(if: Shared.has("projects/cargo-real.tar.gz"), "the shared project is not there"))
    func theRealProjectIsVerifiedWhole() async throws {
        let project = try await RealProject.unpack()
        let rust = try TestRust()
        let root = project.root + "/cargo-real"
        var toolchain = try CargoToolchain(Project(sourceRoot: root), places: rust.places)
        let locked = try toolchain.lock()
        #expect(locked.dependencies.count == 44)
        #expect(locked.dependencies.allSatisfy { $0.annotations["vendored"] == true && $0.digest["dirHash"] != nil })
        try project.write("cargo-real/vendor/libc-0.2.139/src/lib.rs", "// changed\n")
        let failure = try #require(failure { _ = try toolchain.lock() })
        #expect(failure.kind == .inputVerification)
        #expect(failure.message.contains("libc 0.2.139") && failure.message.contains("src/lib.rs"))
    }
}

enum RealProject {
    static func unpack() async throws -> TestProject {
        let project = try TestProject()
        let command = Command(
            "/bin/tar", ["xzf", Shared.root + "/projects/cargo-real.tar.gz"], environment: ["PATH": "/usr/bin:/bin"],
            workingDirectory: project.root, network: false, writable: [], timeLimit: 60)
        let outcome = try await PlainRunner().run(command) { (_, _) throws(BuildFailure) in }
        try #require(outcome.succeeded)
        return project
    }
}
