// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Provenance
import SourceTrees
import Testing
import Toolchains

/// `CargoToolchain.lock`: the lockfile with the manifests and the vendored files around it.
@Suite struct LockTests {
    static let cratesIO = "registry+https://github.com/rust-lang/crates.io-index"
    static let checksum = String(repeating: "ab", count: 32)
    static let commit = String(repeating: "0f", count: 20)

    static func lockfile(source: String?, checksum: String? = nil) -> String {
        var text = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"dep\"]\n"
        text += "\n[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\n"
        if let source { text += "source = \"\(source)\"\n" }
        if let checksum { text += "checksum = \"\(checksum)\"\n" }
        return text
    }

    static func lock(_ project: TestProject) throws -> LockedInputs {
        let rust = try TestRust()
        var toolchain = try CargoToolchain(Project(sourceRoot: project.root), places: rust.places)
        return try toolchain.lock()
    }

    private func lock(_ lockfile: String, _ files: [String: String] = [:]) throws -> LockedInputs {
        let project = try TestProject(["Cargo.toml": "[package]\nname = \"app\"\n", "Cargo.lock": lockfile])
        for (name, text) in files { try project.write(name, text) }
        return try Self.lock(project)
    }

    @Test func detectionLooksForAManifestAtTheTop() throws {
        #expect(CargoToolchain.detect(in: try TestProject(["Cargo.toml": ""]).root))
        #expect(!CargoToolchain.detect(in: try TestProject(["Cargo.lock": "", "sub/Cargo.toml": ""]).root))
    }

    @Test func registryCratesHaveTheirChecksum() throws {
        let text = Self.lockfile(source: Self.cratesIO, checksum: Self.checksum)
        let locked = try lock(text)
        #expect(locked.lockfile.name == "Cargo.lock")
        #expect(locked.lockfile.digest == ["sha256": Digest256(of: Array(text.utf8)).hex])
        #expect(locked.dependencies.map(\.uri) == ["pkg:cargo/dep@1.0.0"])
        #expect(locked.dependencies.first?.digest == ["sha256": Self.checksum])
        #expect(locked.hosts.isEmpty)
    }

    @Test func gitDependenciesHaveTheirCommitAndHost() throws {
        let locked = try lock(Self.lockfile(source: "git+https://git.example:8443/r#\(Self.commit)"))
        #expect(locked.dependencies.first?.digest == ["gitCommit": Self.commit])
        #expect(locked.hosts.map(\.host) == ["git.example"])
        #expect(locked.hosts.map(\.port) == [8443])
    }

    @Test func hostsAtPrivateAddressesAreThereToBeChecked() async throws {
        let project = try TestProject()
        let locked = try lock(
            Self.lockfile(source: "sparse+http://127.0.0.1:9/index/", checksum: Self.checksum))
        await #expect(throws: BuildFailure.self) {
            try await TestSteps(workspace: project.workspace()).check(locked.hosts)
        }
    }

    @Test func dependenciesAreSortedByURI() throws {
        var text = "version = 3\n"
        for name in ["zeta", "alpha", "mid"] {
            text += "[[package]]\nname = \"\(name)\"\nversion = \"1.0.0\"\nsource = \"\(Self.cratesIO)\"\n"
            text += "checksum = \"\(Self.checksum)\"\n"
        }
        #expect(
            try lock(text).dependencies.map(\.uri) == [
                "pkg:cargo/alpha@1.0.0", "pkg:cargo/mid@1.0.0", "pkg:cargo/zeta@1.0.0",
            ])
    }

    static let refused: [(String, BuildFailure.Kind)] = [
        (lockfile(source: cratesIO), BuildFailure.Kind.unpinnedDependency),
        (lockfile(source: cratesIO, checksum: "abc"), .unpinnedDependency),
        (lockfile(source: cratesIO, checksum: checksum.uppercased()), .unpinnedDependency),
        (lockfile(source: "git+https://git.example/r"), .unpinnedDependency),
        (lockfile(source: "git+https://git.example/r?branch=main#main"), .unpinnedDependency),
        (lockfile(source: "git+ssh://git@git.example/r#\(commit)"), .source),
        (lockfile(source: "git+file:///srv/r#\(commit)"), .source),
        (lockfile(source: "git+https://user:key@git.example/r#\(commit)"), .source),
        (lockfile(source: "registry+file:///srv/r", checksum: checksum), .source),
    ]

    @Test(arguments: refused)
    func whatIsNotPinnedOrCannotBeFetchedIsRefusedByName(_ text: String, _ kind: BuildFailure.Kind) throws {
        let failure = try #require(failure { _ = try lock(text) })
        #expect(failure.kind == kind)
        #expect(failure.message.contains("'dep 1.0.0'"))
    }

    @Test func aMissingLockfileSaysHowToMakeIt() throws {
        let project = try TestProject(["Cargo.toml": ""])
        let failure = try #require(failure { _ = try Self.lock(project) })
        #expect(failure.kind == .lockfile)
        #expect(failure.message.contains("cargo generate-lockfile"))
    }

    @Test func aLockfileThatIsALinkOutIsRefused() throws {
        let project = try TestProject(["Cargo.toml": ""])
        try project.link("Cargo.lock", to: "/etc/hostname")
        #expect(failureKind { _ = try Self.lock(project) } == .lockfile)
    }

    static let outside: [String] = [
        "[dependencies]\ndep = { path = \"../dep\" }",
        "[dependencies]\ndep = { path = \"/usr\" }",
        "[dependencies.dep]\npath = \"out\"",
        "[dev-dependencies]\ndep = { path = \"../dep\" }",
        "[build-dependencies]\ndep = { path = \"../dep\" }",
        "[target.'cfg(unix)'.dependencies]\ndep = { path = \"../dep\" }",
        "[workspace.dependencies]\ndep = { path = \"../dep\" }",
        "[workspace]\nmembers = [\"../dep\"]",
        "[workspace]\nmembers = [\"../*\"]",
        "[workspace]\nmembers = [\"/etc/*\"]",
        "[package]\nname = \"a\"\nworkspace = \"../\"",
        "[patch.crates-io]\ndep = { path = \"../dep\" }",
        "[replace]\n\"dep:1.0.0\" = { path = \"../dep\" }",
        "[dependencies]\ndep = { path = \"inner\" }",
        "[workspace]\nmembers = [\"in*\"]",
        "[workspace]\nmembers = [\"in?er\"]",
        "[workspace]\nmembers = [\"deep/**\"]",
        "[workspace]\nmembers = [\"h*n/.*\"]",
        "[workspace]\nmembers = [\"hidden/*\"]",
        "[dev_dependencies]\ndep = { path = \"../dep\" }",
        "[build_dependencies]\ndep = { path = \"../dep\" }",
        "[project]\nname = \"a\"\nworkspace = \"../\"",
        // To Swift the slash behind U+0600, or before a mark, is no character of its own.
        "[dependencies]\ndep = { path = \"a\u{600}/../a\u{600}/../../nowhere\" }",
        "[dependencies]\ndep = { path = \"/\u{301}x\" }",
        "[workspace]\nmembers = [\"a\u{600}/../../nowhere\"]",
        "[workspace]\nmembers = [\"/\u{301}x*\"]",
        "[dependencies]\ndep = { path = \"\u{E9}\" }\ndep2 = { path = \"e\u{301}\" }",
        // Cargo takes `..` out by the text, and so ends above the tree.
        "[dependencies]\ndep = { path = \"linked\" }",
    ]

    @Test(arguments: outside)
    func pathsOutOfTheTreeAreRefused(_ manifest: String) throws {
        let inner = "[package]\nname = \"inner\"\n[dependencies]\nx = { path = \"../../x\" }"
        let project = try TestProject([
            "Cargo.toml": manifest, "Cargo.lock": Self.lockfile(source: nil), "inner/Cargo.toml": inner,
            "deep/a/b/Cargo.toml": inner.replacing("../../x", with: "../../../../x"),
            "hidden/.x/Cargo.toml": inner.replacing("../../x", with: "../../../x"),
            "\u{E9}/Cargo.toml": "", "a\u{600}/keep": "",
            "far/off/Cargo.toml": inner, "x/Cargo.toml": "",
        ])
        try project.write("e\u{301}/Cargo.toml", inner.replacing("../../x", with: "../../y"))
        try project.link("out", to: "/usr")
        try project.link("linked", to: "far/off")
        #expect(failureKind { _ = try Self.lock(project) } == .inputVerification)
    }

    @Test func pathsWithinTheTreePass() throws {
        let manifest = """
            [workspace]
            members = ["crates/*", "tool"]
            [dependencies]
            dep = { path = "crates/a/../b" }
            """
        let member =
            "[package]\nname = \"b\"\n[dependencies]\na = { path = \"../a\" }\nmissing = { path = \"nowhere\" }"
        let locked = try lock(
            Self.lockfile(source: nil),
            ["Cargo.toml": manifest, "crates/a/Cargo.toml": "[package]\nname = \"a\"", "crates/b/Cargo.toml": member])
        #expect(locked.dependencies.isEmpty)
    }
}
